/* SPDX-License-Identifier: MIT */
/*
 * Random data and questions: a set of local names agrees with a model that keeps a list of texts
 * and knows nothing of trees and tables.
 */
#include "services/dns/dns_local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

#define ENTRIES_MAX 40
#define ROUNDS	    3000
#define QUESTIONS   60

enum entry_kind {
	ENTRY_RECORD,	/* A, AAAA or TXT whose data is one number */
	ENTRY_ALIAS,
	ENTRY_NO_NAMES,
	ENTRY_ADDRESS,
	ENTRY_ONLY,
	ENTRY_FORWARD,
	ENTRY_KINDS,
};

struct entry {
	enum entry_kind kind;
	char name[64];
	char target[64];
	uint16_t type;
	uint8_t value;
};

static struct entry entries[ENTRIES_MAX];
static unsigned count;
static uint64_t state;

static unsigned
pick(unsigned n)
{
	return (unsigned)(unit_random(&state) % n);
}

/* One to four labels out of few, so that names meet. */
static void
pick_name(char out[static 64], bool stars)
{
	static const char *const labels[] = { "a", "b", "c", "*" };
	unsigned n = 1 + pick(4);

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(out, labels[pick(i == 0 && stars ? 4 : 3)]);
		strcat(out, ".");
	}
	strcat(out, pick(2) != 0 ? "x" : "y");
	if (pick(20) == 0)
		strcpy(out, pick(2) != 0 ? "x" : "y");
}

static void
pick_entries(void)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_TXT };

	count = pick(ENTRIES_MAX + 1);
	for (unsigned i = 0; i < count; i++) {
		struct entry *e = &entries[i];

		/* Half of them records. */
		e->kind = pick(2) != 0 ? ENTRY_RECORD : (enum entry_kind)pick(ENTRY_KINDS);
		e->type = types[pick(e->kind == ENTRY_ADDRESS ? 2 : 3)];
		e->value = (uint8_t)(1 + pick(3));
		pick_name(e->name, e->kind <= ENTRY_ALIAS);
		pick_name(e->target, false);
		if (e->kind == ENTRY_ALIAS && pick(4) == 0)
			strcpy(e->target, "elsewhere.z");
	}
}

/* --- the model -------------------------------------------------------------------------------- */

struct outcome {
	enum dns_local_verdict verdict;
	bool names_below;
	unsigned answers;	/* records of the type asked for */
	unsigned values;	/* sum of their data */
	unsigned aliases;
	char zone[64];		/* owner of the SOA; "" for none */
	char target[64];
};

static const char *
parent_of(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL ? dot + 1 : "";
}

/* b is a, or ends in a dot and a. */
static bool
is_below(const char *b, const char *a)
{
	size_t la = strlen(a), lb = strlen(b);

	if (la == 0)
		return true;
	return lb >= la && strcmp(b + lb - la, a) == 0 && (lb == la || b[lb - la - 1] == '.');
}

static bool
exists(const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (is_below(entries[i].name, name))
			return true;
	return name[0] == '\0';
}

static bool
is_data(const struct entry *e)
{
	return e->kind <= ENTRY_ALIAS;
}

static bool
has_data(const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (is_data(&entries[i]) && strcmp(entries[i].name, name) == 0)
			return true;
	return false;
}

static bool
repeats(unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (entries[k].kind == entries[i].kind && entries[k].type == entries[i].type &&
		    entries[k].value == entries[i].value &&
		    strcmp(entries[k].name, entries[i].name) == 0)
			return true;
	return false;
}

/* Count the entries of a kind, name and type. */
static void
collect(struct outcome *o, enum entry_kind kind, const char *name, uint16_t type)
{
	for (unsigned i = 0; i < count; i++)
		if (entries[i].kind == kind && entries[i].type == type &&
		    strcmp(entries[i].name, name) == 0 && !repeats(i)) {
			o->answers++;
			o->values += entries[i].value;
		}
}

static const struct entry *
alias_of(const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (entries[i].kind == ENTRY_ALIAS && strcmp(entries[i].name, name) == 0)
			return &entries[i];
	return NULL;
}

/* The strongest rule of exactly that name; a record kind for none. */
static enum entry_kind
rule_of(const char *name)
{
	static const enum entry_kind by_strength[] = { ENTRY_ADDRESS, ENTRY_NO_NAMES, ENTRY_ONLY,
		ENTRY_FORWARD };

	for (unsigned s = 0; s < 4; s++)
		for (unsigned i = 0; i < count; i++)
			if (entries[i].kind == by_strength[s] && strcmp(entries[i].name, name) == 0)
				return by_strength[s];
	return ENTRY_RECORD;
}

static const char *
nearest_rule(const char *name)
{
	while (name[0] != '\0' && rule_of(name) == ENTRY_RECORD)
		name = parent_of(name);
	return name;
}

/* By the rule of `zone`, for a name without records. */
static void
model_rule(struct outcome *o, const char *name, uint16_t type, const char *zone)
{
	bool here = exists(name);
	bool top = strcmp(name, zone) == 0;

	switch (rule_of(zone)) {
	case ENTRY_ADDRESS:
		collect(o, ENTRY_ADDRESS, zone, type);
		o->verdict = o->answers != 0 ? DNS_LOCAL_ANSWER : DNS_LOCAL_NODATA;
		break;
	case ENTRY_NO_NAMES:
		o->verdict = here && !top ? DNS_LOCAL_NODATA : DNS_LOCAL_NXDOMAIN;
		break;
	case ENTRY_ONLY:
		o->verdict = here ? DNS_LOCAL_NODATA : DNS_LOCAL_NXDOMAIN;
		break;
	default:
		o->verdict = DNS_LOCAL_NOT_OURS;
		o->names_below = here;
		if (zone[0] == '\0' && strchr(name, '.') == NULL) {	/* plain */
			o->names_below = false;
			o->verdict = here ? DNS_LOCAL_NODATA : DNS_LOCAL_NXDOMAIN;
			if (!here)
				o->zone[0] = '\0';
		}
	}
}

/* Decide one name. True where it is an alias, whose target is then in o->target. */
static bool
model_name(struct outcome *o, const char *name, uint16_t type)
{
	const char *zone = nearest_rule(name);
	const char *encloser = name;
	char owner[70];

	strcpy(o->zone, zone[0] == '\0' || rule_of(zone) == ENTRY_FORWARD ? name : zone);
	while (!exists(encloser))
		encloser = parent_of(encloser);
	strcpy(owner, name);
	if (encloser != name)
		snprintf(owner, sizeof(owner), "*.%s", encloser);
	if (!has_data(owner)) {
		model_rule(o, name, type, zone);
		return false;
	}
	collect(o, ENTRY_RECORD, owner, type);
	o->verdict = o->answers != 0 ? DNS_LOCAL_ANSWER : DNS_LOCAL_NODATA;
	if (o->answers != 0 || alias_of(owner) == NULL)
		return false;
	strcpy(o->target, alias_of(owner)->target);
	return true;
}

static void
model(struct outcome *o, const char *question, uint16_t type)
{
	char name[64];

	*o = (struct outcome){ 0 };
	strcpy(name, question);
	while (model_name(o, name, type)) {
		if (o->aliases == DNS_CHAIN_MAX) {
			o->verdict = DNS_LOCAL_LOOP;
			break;
		}
		o->aliases++;
		strcpy(name, o->target);
		o->names_below = false;
	}
	if (o->verdict == DNS_LOCAL_NOT_OURS && o->aliases != 0)
		o->verdict = DNS_LOCAL_CNAME_OUT;
	if (o->verdict != DNS_LOCAL_CNAME_OUT)
		o->target[0] = '\0';
	if (o->verdict != DNS_LOCAL_NODATA && o->verdict != DNS_LOCAL_NXDOMAIN)
		o->zone[0] = '\0';
	else if (o->zone[0] == '\0')
		strcpy(o->zone, ".");
}

/* --- the real one ----------------------------------------------------------------------------- */

static struct dns_name
name_of(const char *text)
{
	struct dns_name n;

	CU_ASSERT_EQUAL_FATAL(dns_name_parse(&n, span_str(text)), OK);
	return n;
}

static struct dns_local *
build(void)
{
	static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "k";
	struct dns_local_options opts = { .forward_special = true };
	struct dns_local_origin from = { 0 };
	struct dns_local *set;

	CU_ASSERT_EQUAL_FATAL(dns_local_new(&set, &opts, key), OK);
	for (unsigned i = 0; i < count; i++) {
		const struct entry *e = &entries[i];
		struct dns_name n = name_of(e->name), t = name_of(e->target);
		uint8_t data[16] = { 1 };
		size_t len = e->type == DNS_TYPE_A ? 4 : e->type == DNS_TYPE_AAAA ? 16 : 2;

		data[len - 1] = e->value;
		if (e->kind == ENTRY_RECORD)
			dns_local_add_record(set, dns_name_span(&n), e->type, DNS_LOCAL_TTL_OF_SET,
			    span_of(data, len), from);
		else if (e->kind == ENTRY_ALIAS)
			dns_local_add_record(set, dns_name_span(&n), DNS_TYPE_CNAME,
			    DNS_LOCAL_TTL_OF_SET, dns_name_span(&t), from);
		else if (e->kind == ENTRY_ADDRESS || e->kind == ENTRY_NO_NAMES)
			dns_local_add_address(set, dns_name_span(&n),
			    span_of(data, e->kind == ENTRY_ADDRESS ? len : 0), from);
		else
			dns_local_add_zone(set, dns_name_span(&n),
			    e->kind == ENTRY_ONLY ? DNS_LOCAL_ONLY : DNS_LOCAL_FORWARD, from);
	}
	CU_ASSERT_EQUAL_FATAL(dns_local_finish(set), OK);
	return set;
}

static void
note_record(struct outcome *o, struct span msg, const struct dns_rr *rr, uint16_t type)
{
	struct wire_rd rd = wire_rd_of(msg);
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name owner;

	if (rr->type == DNS_TYPE_CNAME) {
		o->aliases++;
	} else if (rr->type == DNS_TYPE_SOA) {
		wire_rd_skip(&rd, rr->owner_at);
		CU_ASSERT_TRUE(dns_name_expand(&owner, &rd));
		strcpy(o->zone, dns_name_format(dns_name_span(&owner), text));
	} else {
		CU_ASSERT_EQUAL(rr->type, type);
		o->answers++;
		o->values += rr->rdata.at[rr->rdata.len - 1];
	}
}

/* What a client would see. */
static void
real(struct outcome *o, const struct dns_local *set, const char *question, uint16_t type)
{
	static uint8_t reply[DNS_MSG_MAX];
	char text[DNS_NAME_TEXT_MAX];
	uint8_t packet[600];
	struct dns_name n = name_of(question);
	struct dns_ask ask = { .name = dns_name_span(&n), .type = type, .class = DNS_CLASS_IN };
	struct dns_query q;
	struct dns_local_found f;
	struct dns_walk walk;
	struct dns_wr wr;
	struct dns_rr rr;

	*o = (struct outcome){ 0 };
	CU_ASSERT_EQUAL_FATAL(dns_query_parse(&q,
	    span_of(packet, dns_ask_write(&ask, packet, sizeof(packet)))), DNS_QUERY_OK);
	o->verdict = dns_local_find(set, dns_query_name(&q), type, NULL, &f);
	o->names_below = f.names_below && o->verdict == DNS_LOCAL_NOT_OURS;
	if (o->verdict == DNS_LOCAL_NOT_OURS)
		return;
	if (o->verdict == DNS_LOCAL_CNAME_OUT)
		strcpy(o->target, dns_name_format(f.target, text));
	dns_wr_begin(&wr, &q, reply, sizeof(reply));
	dns_local_write(&f, &wr);

	struct span msg = span_of(reply, dns_wr_end(&wr, dns_local_rcode(&f), 0, NULL));

	dns_walk_begin(&walk, msg);
	while (dns_rr_next(&walk, &rr))
		note_record(o, msg, &rr, type);
	CU_ASSERT_FALSE(walk.bad);
}

static bool
agree(const struct outcome *a, const struct outcome *b)
{
	return a->verdict == b->verdict && a->answers == b->answers && a->values == b->values &&
	    a->aliases == b->aliases && strcmp(a->zone, b->zone) == 0 &&
	    strcmp(a->target, b->target) == 0 &&
	    (a->verdict != DNS_LOCAL_NOT_OURS || a->names_below == b->names_below);
}

static void
print_disagreement(const char *question, uint16_t type, const struct outcome *m,
    const struct outcome *r)
{
	static const char *const kinds[] = { "record", "alias", "no-names", "address", "only",
		"forward" };

	for (unsigned i = 0; i < count; i++)
		printf("\n  %s %s type %u value %u target %s", kinds[entries[i].kind],
		    entries[i].name, entries[i].type, entries[i].value, entries[i].target);
	printf("\n  %s type %u: model %d answers %u aliases %u zone %s target %s below %d, "
	       "real %d answers %u aliases %u zone %s target %s below %d\n", question, type,
	    m->verdict, m->answers, m->aliases, m->zone, m->target, m->names_below, r->verdict,
	    r->answers, r->aliases, r->zone, r->target, r->names_below);
}

static void
the_set_agrees_with_a_naive_model(void)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_TXT, DNS_TYPE_MX };
	unsigned seen[6] = { 0 };

	state = unit_seed(20260108);
	for (unsigned round = 0; round < ROUNDS; round++) {
		pick_entries();

		struct dns_local *set = build();

		for (unsigned i = 0; i < QUESTIONS; i++) {
			struct outcome m, r;
			char question[64];
			uint16_t type = types[pick(4)];

			pick_name(question, true);
			model(&m, question, type);
			real(&r, set, question, type);
			seen[m.verdict]++;
			if (!agree(&m, &r)) {
				print_disagreement(question, type, &m, &r);
				CU_FAIL_FATAL("set and model disagree");
			}
		}
		dns_local_free(set);
	}
	/* Every verdict was tried, and more than once. */
	for (unsigned v = 0; v < 6; v++)
		CU_ASSERT_TRUE(seen[v] > 10);
}

UNIT_MAIN("dns_local_model", UNIT(the_set_agrees_with_a_naive_model))
