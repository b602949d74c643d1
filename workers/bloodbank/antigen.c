/* Antigens: bare names, and what is known of a unit. */
#include "antigen.h"

#include <string.h>
#include <strings.h>

#include "attribute.h"
#include "compatibility.h"

static bool is_decoration(char c)
{
	return c == '(' || c == ')' || c == ' ' || c == '_';
}

void antigen_name(const char *text, char name[static ANTIGEN_NAME_MAX + 1])
{
	if (strncasecmp(text, "anti-", 5) == 0)
		text += 5;
	size_t length = 0;
	for (; *text != '\0' && length < ANTIGEN_NAME_MAX; text++)
		if (!is_decoration(*text))
			name[length++] = *text;
	if (length > 1 && (name[length - 1] == '-' || name[length - 1] == '+'))
		length--;
	name[length] = '\0';
	if (strcmp(name, "RhD") == 0)
		memcpy(name, "D", sizeof("D"));
}

static bool has_cells_of_platelets(const char *name)
{
	return strncasecmp(name, "HPA", 3) == 0 || strncasecmp(name, "HLA", 3) == 0;
}

bool antigen_matters(const char *name, enum component component)
{
	if (name[0] == '\0' || component == COMPONENT_PLASMA || component == COMPONENT_CRYO)
		return false;
	return has_cells_of_platelets(name) == (component == COMPONENT_PLATELETS);
}

static enum typing typed(bool is_positive)
{
	return is_positive ? TYPED_POSITIVE : TYPED_NEGATIVE;
}

/* "K" and "K+" both say that the antigen is there. */
static bool is_negative(const char *text)
{
	size_t length = strlen(text);
	while (length > 0 && is_decoration(text[length - 1]))
		length--;
	return length > 0 && text[length - 1] == '-';
}

static enum typing read_typings(const struct unit *unit, const char *name)
{
	enum typing typing = UNTYPED;
	for (size_t i = 0; i < unit->antigens_count; i++) {
		char known[ANTIGEN_NAME_MAX + 1];
		antigen_name(unit->antigens[i], known);
		if (strcmp(known, name) != 0)
			continue;
		if (!is_negative(unit->antigens[i]))
			return TYPED_POSITIVE; /* where two typings differ, the worse one counts */
		typing = TYPED_NEGATIVE;
	}
	return typing;
}

enum typing antigen_typing(const struct unit *unit, const char *name)
{
	enum abo abo = group_abo(unit->group);
	if (strcmp(name, "D") == 0)
		return typed(group_is_d_positive(unit->group));
	if (strcmp(name, "A") == 0 || strcmp(name, "A1") == 0)
		return typed(abo == ABO_A || abo == ABO_AB);
	if (strcmp(name, "B") == 0)
		return typed(abo == ABO_B || abo == ABO_AB);
	enum typing typing = read_typings(unit, name);
	if (typing == UNTYPED && strcmp(name, "K") == 0
		&& (unit->attributes & ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE)))
		return TYPED_NEGATIVE;
	return typing;
}
