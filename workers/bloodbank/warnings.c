/* Warnings: one table of codes, each with its finding. */
#include "warnings.h"

#include <assert.h>

static const struct donor *donor_of(const struct wish *wish, const struct unit *unit)
{
	return &wish->compatibility.donors[unit->group];
}

static bool is_rhd_mismatch(const struct wish *wish, const struct pick *pick)
{
	return donor_of(wish, pick->unit)->is_rhd_mismatch;
}

static bool is_abo_mismatch(const struct wish *wish, const struct pick *pick)
{
	return donor_of(wish, pick->unit)->is_abo_mismatch;
}

static bool is_waived(const struct wish *wish, const struct pick *pick)
{
	(void)wish;
	return (pick->concession & (CONCEDE_ATTRIBUTES | CONCEDE_UNTYPED | CONCEDE_ANTIGEN)) != 0;
}

static bool is_substituted(const struct wish *wish, const struct pick *pick)
{
	return wish->recipient.group != BLOOD_GROUP_UNKNOWN && pick->unit->group != wish->recipient.group;
}

static bool is_short_dated(const struct wish *wish, const struct pick *pick)
{
	return pick->unit->expires_at - wish->used_at < wish->rules->short_dated_us[pick->unit->component];
}

static bool is_blind_o_negative(const struct wish *wish, const struct pick *pick)
{
	return wish->recipient.group == BLOOD_GROUP_UNKNOWN && pick->unit->group == BLOOD_GROUP_O_NEGATIVE
		&& wish->rules->rhd[pick->unit->component] == RHD_MATTERS;
}

/* A warning that follows from single units. */
struct finding {
	enum warning_code code;
	bool (*applies)(const struct wish *wish, const struct pick *pick);
	const char *text; /* after "N of M units" */
};

static const struct finding findings[] = {
	{ WARNING_CODE_RHD_MISMATCH, is_rhd_mismatch, "are D positive" },
	{ WARNING_CODE_ABO_MINOR_MISMATCH, is_abo_mismatch, "hold plasma against the recipient's red cells" },
	{ WARNING_CODE_ATTRIBUTES_WAIVED, is_waived, "lack something that was required" },
	{ WARNING_CODE_SUBSTITUTED, is_substituted, "are of another group than asked for" },
	{ WARNING_CODE_SHORT_DATED, is_short_dated, "expire soon after they are needed" },
};

static void warn(struct allocation *out, enum warning_code code, const char *detail)
{
	assert(out->warnings_count < ALLOCATION_WARNINGS_MAX);
	out->warnings[out->warnings_count++] = (struct warning){ .code = code, .detail = detail };
}

static size_t count_picks(const struct wish *wish, const struct picks *picks,
	bool (*applies)(const struct wish *wish, const struct pick *pick))
{
	size_t count = 0;
	for (size_t i = 0; i < picks->count; i++)
		if (applies(wish, &picks->list[i]))
			count++;
	return count;
}

static void warn_of_blind(const struct wish *wish, const struct picks *picks, struct arena *arena,
	struct allocation *out)
{
	int64_t limit = wish->rules->blind_o_negative_limit;
	out->blind_o_negative = (int64_t)count_picks(wish, picks, is_blind_o_negative);
	int64_t total = wish->wanted->blind_o_negative_before + out->blind_o_negative;
	out->wants_group = out->blind_o_negative > 0 && total > limit;
	if (out->wants_group)
		warn(out, WARNING_CODE_BLIND_O_NEGATIVE_LIMIT,
			arena_print(arena, "%lld O- units without a group, the limit is %lld: send a sample",
				(long long)total, (long long)limit));
}

void warnings_find(const struct wish *wish, const struct picks *picks, struct arena *arena,
	struct allocation *out)
{
	if (wish->recipient.is_emergency && wish->request->signed_by == NULL)
		warn(out, WARNING_CODE_SIGNATURE_PENDING, "nobody has signed for this emergency yet");
	warn_of_blind(wish, picks, arena, out);
	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
		size_t count = count_picks(wish, picks, findings[i].applies);
		if (count > 0)
			warn(out, findings[i].code,
				arena_print(arena, "%zu of %zu units %s", count, picks->count, findings[i].text));
	}
}
