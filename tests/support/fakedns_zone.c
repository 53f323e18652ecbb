/* SPDX-License-Identifier: MIT */
/*
 * Rules of the scripted DNS server and the bytes of its answers. Shares no code with the codec it
 * helps to test, but for the cursor of util/wire.
 */
#include "support/fakedns.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/wire.h"

#define TYPE_ANY_RULE  -1
#define RDATA_MAX      65400
#define CHAIN_MAX      16
#define TYPE_CNAME     5
#define TYPE_SOA       6
#define TYPE_OPT       41
#define TYPE_RRSIG     46
#define OPTION_SUBNET  8
#define OPTION_COOKIE  10
#define OPTION_EDE     15
#define FORGED_ADDRESS 0xcb007142 /* 203.0.113.66 */

enum verb {
	VERB_DATA,
	VERB_NXDOMAIN,
	VERB_NODATA,
	VERB_RCODE,
	VERB_DROP,
};

struct rule {
	char *glob;
	int type;
	enum verb verb;
	int rcode;
	uint8_t *rdata;
	size_t len;
	struct how how;
};

struct zone {
	struct rule *rules;
	size_t used;
	size_t cap;
};

static const struct {
	const char *text;
	uint16_t type;
} type_names[] = {
    {"A", 1},	  {"NS", 2},	 {"CNAME", TYPE_CNAME}, {"SOA", TYPE_SOA},
    {"PTR", 12},  {"MX", 15},	 {"TXT", 16},		{"AAAA", 28},
    {"SRV", 33},  {"DS", 43},	 {"RRSIG", 46},		{"DNSKEY", 48},
    {"SVCB", 64}, {"HTTPS", 65}, {"ANY", 255},		{"CAA", 257},
};

/* --- names ------------------------------------------------------------------------------------ */

static size_t
name_from_text(const char *text, uint8_t out[static 255])
{
	size_t at = 0;

	if (strcmp(text, ".") == 0)
		text = "";
	while (*text != '\0') {
		size_t n = strcspn(text, ".");

		if (n == 0 || n > 63 || at + n + 2 > 255)
			return 0;
		out[at++] = (uint8_t)n;
		memcpy(out + at, text, n);
		at += n;
		text += n;
		if (*text == '.')
			text++;
	}
	out[at++] = 0;
	return at;
}

static void
name_to_text(const uint8_t *name, char out[static 1024])
{
	char *p = out;

	if (*name == 0)
		*p++ = '.';
	for (; *name != 0; name += *name + 1) {
		if (p != out)
			*p++ = '.';
		for (uint8_t i = 1; i <= *name; i++) {
			if (name[i] == '.' || name[i] == '\\')
				p += sprintf(p, "\\%c", name[i]);
			else if (name[i] > ' ' && name[i] < 127)
				*p++ = (char)name[i];
			else
				p += sprintf(p, "\\%03u", name[i]);
		}
	}
	*p = '\0';
}

const char *
type_text(uint16_t type, char buf[static 16])
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (type_names[i].type == type)
			return type_names[i].text;
	snprintf(buf, 16, "TYPE%u", type);
	return buf;
}

static bool
type_parse(const char *text, int *out)
{
	unsigned n;
	char rest;

	if (strcmp(text, "*") == 0) {
		*out = TYPE_ANY_RULE;
		return true;
	}
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (strcasecmp(text, type_names[i].text) == 0) {
			*out = type_names[i].type;
			return true;
		}
	if (sscanf(text, "TYPE%u%c", &n, &rest) != 1 || n > 65535)
		return false;
	*out = (int)n;
	return true;
}

/* --- record data from text -------------------------------------------------------------------- */

static void
put_name(struct wire_wr *wr, const char *text)
{
	uint8_t name[255];
	size_t n = text != NULL ? name_from_text(text, name) : 0;

	if (n == 0)
		wr->bad = true;
	else
		wire_wr_bytes(wr, span_of(name, n));
}

static void
put_number(struct wire_wr *wr, const char *text)
{
	if (text == NULL || !isdigit((unsigned char)*text))
		wr->bad = true;
	else
		wire_wr_u16(wr, (uint16_t)atoi(text));
}

static void
put_address(struct wire_wr *wr, int family, const char *text)
{
	uint8_t bytes[16];

	if (text == NULL || inet_pton(family, text, bytes) != 1)
		wr->bad = true;
	else
		wire_wr_bytes(wr, span_of(bytes, family == AF_INET ? 4 : 16));
}

/* One SvcParam of a HTTPS record. They come in ascending order of their keys, as RFC 9460 wants. */
static void
put_svc_param(struct wire_wr *wr, char *text)
{
	static const char *const keys[] = {"", "alpn", "", "port", "ipv4hint", "", "ipv6hint"};
	char *value = strchr(text, '=');

	if (value == NULL) {
		wr->bad = true;
		return;
	}
	*value++ = '\0';
	for (uint16_t k = 1; k < sizeof(keys) / sizeof(keys[0]); k++) {
		if (strcmp(text, keys[k]) != 0)
			continue;
		wire_wr_u16(wr, k);

		uint8_t *len = wire_wr_take(wr, 2);
		size_t before = wire_wr_len(wr);

		if (k == 1) {
			wire_wr_u8(wr, (uint8_t)strlen(value));
			wire_wr_bytes(wr, span_str(value));
		} else if (k == 3) {
			put_number(wr, value);
		} else {
			put_address(wr, k == 4 ? AF_INET : AF_INET6, value);
		}
		if (len != NULL)
			wire_put_u16(len, (uint16_t)(wire_wr_len(wr) - before));
		return;
	}
	wr->bad = true;
}

static void
put_text(struct wire_wr *wr, char **words)
{
	if (strcmp(words[0], "big") == 0 && words[1] != NULL) {
		for (long left = atol(words[1]), i = 0; left > 0; left -= 255, i++) {
			uint8_t n = (uint8_t)(left < 255 ? left : 255);

			wire_wr_u8(wr, n);
			for (uint8_t k = 0; k < n; k++)
				wire_wr_u8(wr, (uint8_t)('a' + (i + k) % 26));
		}
		return;
	}
	for (; *words != NULL; words++) {
		size_t n = strlen(*words);
		const char *text = *words;

		if (n >= 2 && text[0] == '"' && text[n - 1] == '"') {
			text++;
			n -= 2;
		}
		wire_wr_u8(wr, (uint8_t)n);
		wire_wr_bytes(wr, span_of(text, n));
	}
}

static void
put_generic(struct wire_wr *wr, char **words)
{
	size_t want = words[0] != NULL ? strtoul(words[0], NULL, 10) : 1;

	for (words++; want != 0 && *words != NULL; words++)
		for (const char *p = *words; p[0] != '\0' && p[1] != '\0'; p += 2) {
			unsigned byte;

			if (sscanf(p, "%2x", &byte) != 1)
				wr->bad = true;
			wire_wr_u8(wr, (uint8_t)byte);
		}
	if (wire_wr_len(wr) != want)
		wr->bad = true;
}

static void
put_rdata(struct wire_wr *wr, int type, char **words)
{
	if (strcmp(words[0], "\\#") == 0) {
		put_generic(wr, words + 1);
		return;
	}
	switch (type) {
	case 1:
		put_address(wr, AF_INET, words[0]);
		break;
	case 28:
		put_address(wr, AF_INET6, words[0]);
		break;
	case 2:
	case 5:
	case 12:
		put_name(wr, words[0]);
		break;
	case 15:
		put_number(wr, words[0]);
		put_name(wr, words[1]);
		break;
	case 16:
		put_text(wr, words);
		break;
	case 33:
		for (int i = 0; i < 3; i++)
			put_number(wr, words[0] != NULL ? *words++ : NULL);
		put_name(wr, words[0]);
		break;
	case 64:
	case 65:
		put_number(wr, words[0]);
		put_name(wr, words[1]);
		for (words += words[1] != NULL ? 2 : 1; *words != NULL; words++)
			put_svc_param(wr, *words);
		break;
	default:
		wr->bad = true;
	}
}

/* --- rules ------------------------------------------------------------------------------------ */

static bool
verb_parse(const char *word, struct rule *r)
{
	static const struct {
		const char *text;
		enum verb verb;
		int rcode;
	} verbs[] = {
	    {"NXDOMAIN", VERB_NXDOMAIN, 3}, {"NODATA", VERB_NODATA, 0}, {"SERVFAIL", VERB_RCODE, 2},
	    {"REFUSED", VERB_RCODE, 5},	    {"NOTIMP", VERB_RCODE, 4},	{"FORMERR", VERB_RCODE, 1},
	    {"DROP", VERB_DROP, 0},
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(word, verbs[i].text) == 0) {
			r->verb = verbs[i].verb;
			r->rcode = verbs[i].rcode;
			return true;
		}
	return false;
}

static bool
how_forge(struct how *h, const char *kind)
{
	static const char *const kinds[FORGE_KINDS] = {"id",	"question", "case",  "none",
						       "two",	"source",   "query", "opcode",
						       "short", "empty",    "loop",  "class"};

	for (unsigned i = 0; i < FORGE_KINDS; i++)
		if (strcmp(kind, kinds[i]) == 0) {
			h->forge |= 1U << i;
			return true;
		}
	return false;
}

static bool
how_word(struct how *h, const char *word)
{
	const struct {
		const char *text;
		bool *flag;
	} flags[] = {
	    {"tc", &h->tc},
	    {"noudp", &h->noudp},
	    {"split", &h->split},
	    {"close", &h->close},
	    {"aa", &h->aa},
	    {"ad", &h->ad},
	    {"lower", &h->lower},
	    {"noedns", &h->noedns},
	    {"formerr12", &h->formerr12},
	    {"cookie", &h->cookie},
	    {"badcookie", &h->badcookie},
	    {"wrongcookie", &h->wrongcookie},
	    {"extra", &h->extra},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(word, flags[i].text) == 0)
			return *flags[i].flag = true;
	if (strncmp(word, "forge=", 6) == 0)
		return how_forge(h, word + 6);
	return sscanf(word, "delay=%u", &h->delay_ms) == 1 ||
	       sscanf(word, "drop=%u", &h->drop) == 1 || sscanf(word, "ttl=%u", &h->ttl_s) == 1 ||
	       sscanf(word, "rcode=%d", &h->rcode) == 1 || sscanf(word, "ede=%d", &h->ede) == 1;
}

static struct rule *
zone_room(struct zone *z)
{
	if (z->used == z->cap) {
		size_t cap = z->cap != 0 ? 2 * z->cap : 64;
		struct rule *rules = realloc(z->rules, cap * sizeof(*rules));

		if (rules == NULL)
			return NULL;
		z->rules = rules;
		z->cap = cap;
	}
	z->rules[z->used] = (struct rule){.how = {.ttl_s = 300, .rcode = -1, .ede = -1}};
	return &z->rules[z->used];
}

/* Fill the rule from its words; NULL, or what is wrong. */
static const char *
rule_fill(struct rule *r, char **words, size_t n)
{
	static uint8_t rdata[RDATA_MAX];
	struct wire_wr wr = wire_wr_of(rdata, sizeof(rdata));
	size_t how = 0;

	while (how < n && strcmp(words[how], ";") != 0)
		how++;
	if (how < 3)
		return "a rule needs name, type and data";
	if (!type_parse(words[1], &r->type))
		return "unknown type";
	for (size_t i = how + 1; i < n; i++)
		if (!how_word(&r->how, words[i]))
			return "unknown word behind the semicolon";
	words[how] = NULL;
	if (!verb_parse(words[2], r)) {
		put_rdata(&wr, r->type, words + 2);
		if (wr.bad)
			return "bad data for this type";
	}
	r->len = wire_wr_len(&wr);
	r->rdata = malloc(r->len + 1);
	r->glob = strdup(words[0]);
	if (r->rdata == NULL || r->glob == NULL)
		return "no memory";
	memcpy(r->rdata, rdata, r->len);
	return NULL;
}

bool
zone_add(struct zone *z, const char *line, const char **why)
{
	char *copy = strdup(line);
	char *words[64], *save;
	size_t n = 0;
	struct rule *r = zone_room(z);

	*why = copy == NULL || r == NULL ? "no memory" : NULL;
	if (*why == NULL) {
		for (char *w = strtok_r(copy, " \t\r\n", &save); w != NULL && *w != '#' && n < 63;
		     w = strtok_r(NULL, " \t\r\n", &save))
			words[n++] = w;
		words[n] = NULL;
	}
	if (*why == NULL && n != 0) {
		*why = rule_fill(r, words, n);
		z->used += *why == NULL;
	}
	free(copy);
	return *why == NULL;
}

struct zone *
zone_new(void)
{
	return calloc(1, sizeof(struct zone));
}

void
zone_free(struct zone *z)
{
	for (size_t i = 0; i < z->used; i++) {
		free(z->rules[i].glob);
		free(z->rules[i].rdata);
	}
	free(z->rules);
	free(z);
}

static struct rule *
zone_find(const struct zone *z, const char *name, int type)
{
	for (size_t i = 0; i < z->used; i++) {
		struct rule *r = &z->rules[i];

		if ((r->type == type || r->type == TYPE_ANY_RULE) &&
		    fnmatch(r->glob, name, FNM_CASEFOLD) == 0)
			return r;
	}
	return NULL;
}

static bool
zone_knows(const struct zone *z, const char *name)
{
	for (size_t i = 0; i < z->used; i++)
		if (fnmatch(z->rules[i].glob, name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

bool
zone_decide(struct zone *z, const struct ask *a, struct how *how)
{
	struct rule *r = zone_find(z, a->text, a->type);

	if (r == NULL)
		r = zone_find(z, a->text, TYPE_CNAME);
	if (r == NULL) {
		*how = (struct how){.ttl_s = 60, .rcode = -1, .ede = -1};
		return true;
	}
	*how = r->how;
	if (r->how.drop != 0) {
		r->how.drop--;
		return false;
	}
	return r->verb != VERB_DROP;
}

/* --- queries ---------------------------------------------------------------------------------- */

static void
ask_option(struct ask *a, uint16_t code, struct span data)
{
	if (code == OPTION_COOKIE && data.len <= sizeof(a->cookie)) {
		memcpy(a->cookie, data.at, data.len);
		a->cookie_len = data.len;
	}
	a->subnet |= code == OPTION_SUBNET;
}

static void
ask_opt(struct ask *a, struct wire_rd *rd)
{
	a->edns = true;
	a->udp_size = wire_rd_u16(rd);
	a->dnssec_ok = (wire_rd_u32(rd) & 0x8000) != 0;

	struct wire_rd options = wire_rd_of(wire_rd_bytes(rd, wire_rd_u16(rd)));

	while (wire_rd_left(&options) != 0 && !options.bad) {
		uint16_t code = wire_rd_u16(&options);

		ask_option(a, code, wire_rd_bytes(&options, wire_rd_u16(&options)));
	}
}

bool
ask_parse(struct ask *a, const uint8_t *bytes, size_t len)
{
	struct wire_rd rd = wire_rd_of(span_of(bytes, len));

	*a = (struct ask){.id = wire_rd_u16(&rd), .flags = wire_rd_u16(&rd), .udp_size = 512};

	uint16_t questions = wire_rd_u16(&rd);
	uint32_t records = (uint32_t)wire_rd_u16(&rd) + wire_rd_u16(&rd);
	uint16_t additional = wire_rd_u16(&rd);

	if (rd.bad || questions != 1 || records != 0 || (a->flags & 0x8000) != 0)
		return false;
	for (uint8_t n = 1; n != 0 && !rd.bad;) {
		n = wire_rd_u8(&rd);
		if (n > 63 || a->name_len + n + 1U > sizeof(a->name))
			return false;
		a->name[a->name_len++] = n;

		struct span label = wire_rd_bytes(&rd, n);

		if (label.len != 0)
			memcpy(a->name + a->name_len, label.at, label.len);
		a->name_len += label.len;
	}
	a->type = wire_rd_u16(&rd);
	a->class = wire_rd_u16(&rd);
	if (rd.bad)
		return false;
	if (additional != 0 && wire_rd_u8(&rd) == 0 && wire_rd_u16(&rd) == TYPE_OPT)
		ask_opt(a, &rd);
	name_to_text(a->name, a->text);
	return !rd.bad;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* A message in the making: the cursor and what the header will say. */
struct answer {
	struct wire_wr wr;
	uint16_t flags;
	uint16_t count[4]; /* questions, answers, authority, additional */
};

static void
put_question(struct answer *an, const struct ask *a, bool lower)
{
	for (size_t i = 0; i < a->name_len; i++)
		wire_wr_u8(&an->wr, lower ? (uint8_t)tolower(a->name[i]) : a->name[i]);
	wire_wr_u16(&an->wr, a->type);
	wire_wr_u16(&an->wr, a->class);
	an->count[0]++;
}

static void
put_record(struct answer *an, unsigned section, struct span owner, uint16_t type, uint32_t ttl,
	   struct span rdata)
{
	wire_wr_bytes(&an->wr, owner);
	wire_wr_u16(&an->wr, type);
	wire_wr_u16(&an->wr, 1);
	wire_wr_u32(&an->wr, ttl);
	wire_wr_u16(&an->wr, (uint16_t)rdata.len);
	wire_wr_bytes(&an->wr, rdata);
	an->count[section]++;
}

/* Shaped like a signature, and as long as a real one of algorithm 13; it verifies nothing. */
static void
put_rrsig(struct answer *an, unsigned section, struct span owner, uint16_t type, uint32_t ttl)
{
	uint8_t bytes[128];
	struct wire_wr wr = wire_wr_of(bytes, sizeof(bytes));

	wire_wr_u16(&wr, type);
	wire_wr_u16(&wr, 13 << 8 | 2);
	wire_wr_u32(&wr, ttl);
	wire_wr_u32(&wr, 4102444800);
	wire_wr_u32(&wr, 1700000000);
	wire_wr_u16(&wr, 4711);
	wire_wr_u8(&wr, 0);
	for (uint8_t i = 0; i < 64; i++)
		wire_wr_u8(&wr, (uint8_t)(i * 37));
	put_record(an, section, owner, TYPE_RRSIG, ttl, wire_wr_span(&wr));
}

static void
put_soa(struct answer *an, const struct ask *a, uint32_t ttl)
{
	uint8_t bytes[64];
	struct wire_wr wr = wire_wr_of(bytes, sizeof(bytes));
	const uint8_t *zone = a->name;

	if (zone[0] != 0)
		zone += zone[0] + 1;
	put_name(&wr, "ns.fakedns");
	put_name(&wr, "root.fakedns");
	wire_wr_u32(&wr, 1);
	wire_wr_u32(&wr, 3600);
	wire_wr_u32(&wr, 600);
	wire_wr_u32(&wr, 86400);
	wire_wr_u32(&wr, ttl);

	struct span owner = span_of(zone, a->name_len - (size_t)(zone - a->name));

	put_record(an, 2, owner, TYPE_SOA, ttl, wire_wr_span(&wr));
	if (a->dnssec_ok)
		put_rrsig(an, 2, owner, TYPE_SOA, ttl);
}

/* All records of one name and type; the rule at their head tells which rules belong to it. */
static void
put_rrset(const struct zone *z, struct answer *an, const struct ask *a, const struct rule *head,
	  struct span owner)
{
	for (size_t i = 0; i < z->used; i++) {
		const struct rule *r = &z->rules[i];

		if (r->type == head->type && r->verb == VERB_DATA &&
		    strcmp(r->glob, head->glob) == 0)
			put_record(an, 1, owner, (uint16_t)r->type, head->how.ttl_s,
				   span_of(r->rdata, r->len));
	}
	if (a->dnssec_ok)
		put_rrsig(an, 1, owner, (uint16_t)head->type, head->how.ttl_s);
}

/* Follow the chain from the question to its end; gives the rcode. */
static int
put_chain(const struct zone *z, struct answer *an, const struct ask *a, uint32_t negative_ttl)
{
	static const uint8_t to_question[2] = {0xc0, 12};
	struct span owner = span_of(to_question, 2);
	const char *name = a->text;
	char text[1024];

	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct rule *r = zone_find(z, name, a->type);

		if (r == NULL)
			r = zone_find(z, name, TYPE_CNAME);
		if (r == NULL || r->verb != VERB_DATA) {
			int rcode = r != NULL ? r->rcode : zone_knows(z, name) ? 0 : 3;

			if (rcode == 0 || rcode == 3)
				put_soa(an, a, negative_ttl);
			return rcode;
		}
		put_rrset(z, an, a, r, owner);
		if (r->type != TYPE_CNAME || a->type == TYPE_CNAME)
			return 0;
		owner = span_of(r->rdata, r->len);
		name_to_text(r->rdata, text);
		name = text;
	}
	return 0;
}

/* Records that nobody asked for, as a poisoner would add them. */
static void
put_extra(struct answer *an)
{
	static const uint8_t owner[] = "\6poison\7example";
	static const uint8_t address[] = {203, 0, 113, 66};

	for (unsigned section = 1; section <= 3; section++)
		put_record(an, section, span_of(owner, sizeof(owner)), 1, 86400,
			   span_of(address, sizeof(address)));
}

static void
put_opt(struct answer *an, const struct ask *a, const struct how *how, int rcode)
{
	static const uint8_t server_cookie[8] = {'f', 'a', 'k', 'e', 'd', 'n', 's', 1};

	wire_wr_u8(&an->wr, 0);
	wire_wr_u16(&an->wr, TYPE_OPT);
	wire_wr_u16(&an->wr, 1232);
	wire_wr_u32(&an->wr, (uint32_t)rcode >> 4 << 24 | (a->dnssec_ok ? 0x8000 : 0));

	uint8_t *len = wire_wr_take(&an->wr, 2);
	size_t before = wire_wr_len(&an->wr);

	if ((how->cookie || how->badcookie || how->wrongcookie) && a->cookie_len >= 8) {
		uint8_t client[8];

		memcpy(client, a->cookie, 8);
		client[0] ^= how->wrongcookie;
		wire_wr_u16(&an->wr, OPTION_COOKIE);
		wire_wr_u16(&an->wr, 16);
		wire_wr_bytes(&an->wr, span_of(client, 8));
		wire_wr_bytes(&an->wr, span_of(server_cookie, 8));
	}
	if (how->ede >= 0) {
		wire_wr_u16(&an->wr, OPTION_EDE);
		wire_wr_u16(&an->wr, 2 + 7);
		wire_wr_u16(&an->wr, (uint16_t)how->ede);
		wire_wr_bytes(&an->wr, span_str("fakedns"));
	}
	if (len != NULL)
		wire_put_u16(len, (uint16_t)(wire_wr_len(&an->wr) - before));
	an->count[3]++;
}

static void
answer_begin(struct answer *an, const struct ask *a, uint8_t *out, size_t cap)
{
	*an = (struct answer){.wr = wire_wr_of(out, cap)};
	an->flags = (uint16_t)(0x8080 | (a->flags & 0x0110)); /* QR, RA; RD and CD as asked */
	(void)wire_wr_take(&an->wr, 12);
	wire_put_u16(out, a->id);
}

static size_t
answer_end(struct answer *an, int rcode)
{
	uint8_t *out = an->wr.start;

	wire_put_u16(out + 2, (uint16_t)(an->flags | (rcode & 15)));
	for (int i = 0; i < 4; i++)
		wire_put_u16(out + 4 + 2 * i, an->count[i]);
	return wire_wr_len(&an->wr);
}

static size_t
udp_limit(const struct ask *a)
{
	if (a->tcp)
		return FAKEDNS_MSG_MAX;
	return a->udp_size < 512 ? 512 : a->udp_size > 4096 ? 4096 : a->udp_size;
}

static size_t
answer_truncated(const struct ask *a, const struct how *how, uint8_t *out)
{
	struct answer an;

	answer_begin(&an, a, out, 512);
	put_question(&an, a, how->lower);
	an.flags |= 0x0200;
	if (a->edns)
		put_opt(&an, a, how, 0);
	return answer_end(&an, 0);
}

size_t
zone_answer(const struct zone *z, const struct ask *a, const struct how *how,
	    uint8_t out[static FAKEDNS_MSG_MAX])
{
	struct answer an;
	int rcode;

	answer_begin(&an, a, out, FAKEDNS_MSG_MAX);
	if (how->formerr12 && a->edns)
		return answer_end(&an, 1);
	put_question(&an, a, how->lower);
	if (how->noedns && a->edns)
		return answer_end(&an, 1);
	if (how->tc && !a->tcp)
		return answer_truncated(a, how, out);
	if (how->aa)
		an.flags |= 0x0400;
	if (how->ad)
		an.flags |= 0x0020;
	if (how->badcookie && a->cookie_len == 8 && !a->tcp) {
		rcode = 23;
	} else {
		rcode = put_chain(z, &an, a, how->ttl_s);
		if (how->rcode >= 0)
			rcode = how->rcode;
		if (how->extra)
			put_extra(&an);
	}
	if (a->edns)
		put_opt(&an, a, how, rcode);
	if (an.wr.bad || wire_wr_len(&an.wr) > udp_limit(a))
		return answer_truncated(a, how, out);
	return answer_end(&an, rcode);
}

/* --- forgeries -------------------------------------------------------------------------------- */

static void
forge_record(struct answer *an, unsigned kind)
{
	static const uint8_t to_question[2] = {0xc0, 12};
	static const uint8_t to_itself[2] = {0xc0, 0xff};
	uint8_t address[4];

	wire_put_u32(address, FORGED_ADDRESS);
	put_record(an, 1, span_of(kind == FORGE_LOOP ? to_itself : to_question, 2), 1, 3600,
		   span_of(address, 4));
}

size_t
zone_forge(const struct ask *a, unsigned kind, uint8_t out[static 1024])
{
	struct answer an;
	struct ask other = *a;

	if (kind == FORGE_EMPTY)
		return 0;
	if (kind == FORGE_ID)
		other.id ^= 0x5555;
	if (kind == FORGE_CLASS)
		other.class ^= 2;
	if (kind == FORGE_QUESTION && other.name_len > 1)
		other.name[1] = other.name[1] == 'x' ? 'y' : 'x';
	if (kind == FORGE_CASE)
		for (size_t i = 0; i < other.name_len; i++)
			if (isalpha(other.name[i]))
				other.name[i] ^= 0x20;
	answer_begin(&an, &other, out, 1024);
	if (kind == FORGE_QUERY)
		an.flags &= 0x7fff;
	if (kind == FORGE_OPCODE)
		an.flags |= 5 << 11;
	if (kind == FORGE_SHORT)
		return 11;
	if (kind == FORGE_LOOP) { /* a question that is a pointer to itself */
		wire_wr_u16(&an.wr, 0xc00c);
		wire_wr_u32(&an.wr, 0x00010001);
		an.count[0]++;
	} else if (kind != FORGE_NONE) {
		put_question(&an, &other, false);
	}
	if (kind == FORGE_TWO)
		put_question(&an, &other, false);
	forge_record(&an, kind);
	return answer_end(&an, 0);
}
