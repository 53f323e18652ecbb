/* SPDX-License-Identifier: MIT */
/* Rules run once each, in order; the result is cleaned again, so that no rule leads out. */
#include "services/tftp/tftp_map.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "util/wire.h"

#define GROUPS 10
#define BUILD_MAX (2 * TFTP_NAME_MAX)	/* bytes while a result is put together */

struct rule {
	regex_t regex;
	char *to;
	bool final;
	struct tftp_match *clients;
	size_t client_count;
};

struct tftp_map {
	struct rule rules[TFTP_MAP_RULES_MAX];
	size_t count;
};

const char *
tftp_map_check(const char *pattern)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return "the title is no POSIX extended regular expression";
	regfree(&regex);
	return NULL;
}

/* One of the parts between slashes is ".."; a \ that begins no \0 to \9 is a slash, too. */
static bool
leads_up(const char *to)
{
	const char *part = to;

	for (const char *c = to;; c++) {
		bool slash = *c == '/' || (*c == '\\' && (c[1] < '0' || c[1] > '9'));

		if (*c != '\0' && !slash)
			continue;
		if (c - part == 2 && memcmp(part, "..", 2) == 0)
			return true;
		if (*c == '\0')
			return false;
		part = c + 1;
	}
}

const char *
tftp_map_check_to(const char *pattern, const char *to)
{
	regex_t regex;
	size_t groups;

	if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
		return NULL;	/* said where the pattern stands */
	groups = regex.re_nsub;
	regfree(&regex);
	for (const char *c = to; *c != '\0'; c++) {
		if ((uint8_t)*c < ' ')
			return "has a control character; in double quotes \\1 is one: write it in "
			       "single quotes";
		if (*c == '\\' && c[1] >= '0' && c[1] <= '9' && (size_t)(*++c - '0') > groups)
			return "the pattern has not so many parts in ( )";
		if (c[0] == '$' && c[1] == '{' && !tftp_client_knows(c))
			return "${ip}, ${mac} and ${server} are known, no others";
	}
	return leads_up(to) ? "no name leads up with \"..\": such requests are refused" : NULL;
}

static enum err
compile(struct rule *out, const struct tftp_map_rule *rule)
{
	int flags = REG_EXTENDED | (rule->nocase ? REG_ICASE : 0);

	if (regcomp(&out->regex, rule->pattern, flags) != 0)
		return ERR_FORMAT;
	out->final = rule->final;
	out->client_count = rule->client_count;
	out->clients = calloc(rule->client_count + 1, sizeof(*out->clients));
	out->to = rule->to != NULL ? strdup(rule->to) : NULL;
	if (out->clients == NULL || (rule->to != NULL && out->to == NULL)) {
		free(out->clients);
		free(out->to);
		regfree(&out->regex);
		return ERR_NOMEM;
	}
	if (rule->client_count != 0)
		memcpy(out->clients, rule->clients, rule->client_count * sizeof(*out->clients));
	return OK;
}

enum err
tftp_map_new(struct tftp_map **out, const struct tftp_map_rule *rules, size_t count, size_t *bad)
{
	struct tftp_map *map = calloc(1, sizeof(*map));
	enum err e = OK;

	*bad = 0;
	if (map == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count && e == OK; i++) {
		*bad = i;
		e = i < TFTP_MAP_RULES_MAX ? compile(&map->rules[i], &rules[i]) : ERR_FULL;
		if (e == OK)
			map->count++;
	}
	if (e != OK) {
		tftp_map_free(map);
		return e;
	}
	*out = map;
	return OK;
}

void
tftp_map_free(struct tftp_map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->count; i++) {
		regfree(&map->rules[i].regex);
		free(map->rules[i].to);
		free(map->rules[i].clients);
	}
	free(map);
}

static bool
is_for(const struct rule *rule, const struct tftp_client *who)
{
	for (size_t i = 0; i < rule->client_count; i++)
		if (tftp_match_is(&rule->clients[i], who))
			return true;
	return rule->client_count == 0;
}

/* Put together what stands before the match, the replacement, and what stands behind. */
static void
replace(struct wire_wr *wr, const char *name, const char *to, const regmatch_t group[GROUPS])
{
	size_t whole_end = (size_t)group[0].rm_eo;

	wire_wr_bytes(wr, span_of(name, (size_t)group[0].rm_so));
	for (const char *c = to; *c != '\0'; c++) {
		unsigned digit = *c == '\\' ? (unsigned)(c[1] - '0') : GROUPS;

		if (digit >= GROUPS) {
			wire_wr_u8(wr, (uint8_t)*c);
			continue;
		}
		c++;
		if (group[digit].rm_so >= 0)
			wire_wr_bytes(wr, span_of(name + group[digit].rm_so,
			    (size_t)(group[digit].rm_eo - group[digit].rm_so)));
	}
	wire_wr_bytes(wr, span_str(name + whole_end));
}

static enum err
rewrite(const struct rule *rule, const struct tftp_client *who, struct tftp_name *name,
    const regmatch_t group[GROUPS])
{
	uint8_t build[BUILD_MAX], expanded[BUILD_MAX];
	struct wire_wr wr = wire_wr_of(build, sizeof(build));

	if (rule->to == NULL)
		return ERR_DENIED;
	replace(&wr, name->text, rule->to, group);

	size_t len = tftp_client_expand(who, wire_wr_span(&wr), expanded, sizeof(expanded));

	if (wr.bad || len > sizeof(expanded))
		return ERR_RANGE;
	return tftp_name_clean(name, span_of(expanded, len), "");
}

enum err
tftp_map_apply(const struct tftp_map *map, const struct tftp_client *who, struct tftp_name *name,
    tftp_map_step *step, void *ctx)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct rule *rule = &map->rules[i];
		struct tftp_name before = *name;
		regmatch_t group[GROUPS];

		if (!is_for(rule, who) || regexec(&rule->regex, name->text, GROUPS, group, 0) != 0)
			continue;

		enum err e = rewrite(rule, who, name, group);

		if (step != NULL)
			step(ctx, i, before.text, e == OK ? name->text : NULL);
		if (e != OK || rule->final)
			return e;
	}
	return OK;
}
