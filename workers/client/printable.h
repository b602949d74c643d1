/* PURE. Texts of others on a terminal. */
#pragma once

/* Puts `?` where a control character stands, and ends the text before a character that was cut. */
void printable(char *text);
