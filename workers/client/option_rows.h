/* What the option tables of several commands have in common. Who writes OPTION_WAIT includes door.h. */
#pragma once

#include "options.h"

#define COMPONENT_CHOICES "red_cells|whole_blood|plasma|cryo|platelets"
#define GROUP_CHOICES "O-|O+|A-|A+|B-|B+|AB-|AB+"

/* --by, of what is asked for through the door. */
#define OPTION_BY(member_offset, who) \
	{ \
		.name = "by", .argument = "REF", .kind = OPTION_TEXT, .offset = (member_offset), \
		.help = who ", an opaque reference" \
	}

/* --wait: a long, for `wait_s` of the request. */
#define OPTION_WAIT(member_offset, help_text) \
	{ \
		.name = "wait", .argument = "SECONDS", .kind = OPTION_NUMBER, .offset = (member_offset), \
		.fallback = "10", .maximum = DOOR_WAIT_MAX_S, .help = help_text "; 0: not at all" \
	}
