/* PURE. Headers of requests that are lists or have a form of their own. */
#pragma once

#include <stdbool.h>

/* The seconds of one header `Prefer: wait=N` (RFC 7240), at most `most`; 0: it has no such preference. NULL is no header. */
long prefer_wait_s(const char *prefer, long most);

/* Whether one header If-None-Match (RFC 9110 section 13.1.2) names the entity tag, a strong one. NULL is no header. */
bool etag_is_named(const char *header, const char *etag);

/* Whether a text is a traceparent (W3C Trace Context, version 00): what is none is not passed on. */
bool traceparent_is_good(const char *text);
