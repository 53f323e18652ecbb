/* SPDX-License-Identifier: MIT */
/*
 * What upstreams answer, all the way: read, packed, cached, written for a client. What a client
 * gets can be read again, says the same, holds nothing outside of the question's chain, and packed
 * a second time does not change any more.
 *
 * The first byte chooses what was asked, the next two are the flags, six more the counts; the rest
 * is what stands behind the question.
 */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_cache.h"
#include "services/dns/dns_record.h"

#define CHOICE_BYTES 9

static const struct {
	const char *name;
	uint16_t type;
} questions[] = {
	{ "a.example", DNS_TYPE_A }, { "a.b.example", DNS_TYPE_AAAA }, { "example", DNS_TYPE_MX },
	{ ".", DNS_TYPE_NS }, { "a.example", DNS_TYPE_ANY }, { "x", DNS_TYPE_SOA },
	{ "a.example", 65280 }, { "a.example", DNS_TYPE_HTTPS },
};

/* The answer: header and question by us, what follows by the input. Gives its length. */
static size_t
compose(uint8_t *msg, size_t cap, struct span input, struct dns_name *name, uint16_t *type)
{
	struct wire_wr wr = wire_wr_of(msg, cap);
	size_t which = input.at[0] % (sizeof(questions) / sizeof(questions[0]));

	FUZZ_CHECK(dns_name_parse(name, span_str(questions[which].name)) == OK);
	*type = questions[which].type;
	wire_wr_u16(&wr, 0x4711);
	wire_wr_u8(&wr, (uint8_t)((input.at[1] & 0x07) | 0x80));
	wire_wr_u8(&wr, input.at[2]);
	wire_wr_u16(&wr, 1);
	wire_wr_bytes(&wr, span_of(input.at + 3, 6));
	wire_wr_bytes(&wr, dns_name_span(name));
	wire_wr_u16(&wr, *type);
	wire_wr_u16(&wr, DNS_CLASS_IN);
	wire_wr_bytes(&wr, span_of(input.at + CHOICE_BYTES, input.len - CHOICE_BYTES));
	return wr.bad ? 0 : wire_wr_len(&wr);
}

/* What is written for a client is an answer that says the same. */
static void
check_written(struct span reply, const struct dns_packed *from, const struct dns_question *asked,
    const struct dns_ttl_limits *limits)
{
	static struct dns_packed again;
	struct dns_answer a;

	FUZZ_CHECK(dns_answer_parse(&a, reply, asked) == OK);
	FUZZ_CHECK(a.kind == from->kind && a.rcode == from->view.rcode);
	FUZZ_CHECK(a.strays == 0 && a.edns);
	FUZZ_CHECK(dns_answer_pack(&again, &a, reply, asked, limits) == OK);
	FUZZ_CHECK(again.view.answers == from->view.answers);
	FUZZ_CHECK(again.view.authority == from->view.authority);
	FUZZ_CHECK(again.view.nttl == from->view.nttl && again.ttl_s == from->ttl_s);
	FUZZ_CHECK(again.view.body_len <= from->view.body_len);
	if (again.view.body_len == from->view.body_len)
		FUZZ_CHECK(memcmp(again.view.body, from->view.body, again.view.body_len) == 0);
}

/* Whatever a message holds can be shown. */
static void
check_shown(struct span msg)
{
	static uint8_t text[DNS_RECORD_TEXT_MAX];
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_begin(&w, msg);
	while (dns_rr_next(&w, &rr)) {
		struct wire_wr out = wire_wr_of(text, sizeof(text));

		dns_record_write(rr.type, msg, rr.rdata, &out);
		FUZZ_CHECK(!out.bad);
	}
}

static void
check_cached(const struct dns_packed *p, const struct dns_question *asked,
    const struct dns_ttl_limits *limits)
{
	static uint8_t out[DNS_MSG_MAX];
	static const uint8_t key[SEAL_SHORT_KEY_BYTES];
	struct dns_cache_config cf = DNS_CACHE_CONFIG_DEFAULT;
	struct dns_ask ask = { .name = asked->name, .type = asked->type, .class = asked->class,
	    .edns = true };
	uint8_t packet[512];
	struct dns_query q;
	struct dns_cache *c;
	const struct dns_entry *e;
	size_t len = dns_ask_write(&ask, packet, sizeof(packet));

	FUZZ_CHECK(dns_query_parse(&q, span_of(packet, len)) == DNS_QUERY_OK);
	FUZZ_CHECK(dns_cache_new(&c, &cf, key) == OK);
	dns_query_hash(&q, key);

	struct dns_key k = dns_key_of(&q, 0);

	FUZZ_CHECK((dns_cache_put(c, &k, p, 0, 0) != NULL) == (p->ttl_s != 0));
	if (dns_cache_find(c, &k, 0, &e) == DNS_CACHE_FRESH) {
		len = dns_cache_write(c, e, &q, 0, NULL, out, sizeof(out));
		if ((dns_msg_flags(span_of(out, len)) & DNS_FLAG_TC) == 0)
			check_written(span_of(out, len), p, asked, limits);
		len = dns_cache_write(c, e, &q, seconds(p->ttl_s) + 1, NULL, out, DNS_UDP_PLAIN);
		FUZZ_CHECK(len <= DNS_UDP_PLAIN);
	}
	dns_cache_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dns_ttl_limits limits = DNS_TTL_LIMITS_DEFAULT;
	static uint8_t msg[DNS_MSG_MAX];
	static struct dns_packed packed;
	struct dns_question asked = { .class = DNS_CLASS_IN };
	struct dns_name name;
	struct dns_answer a;

	if (size < CHOICE_BYTES)
		return 0;

	size_t len = compose(msg, sizeof(msg), span_of(data, size), &name, &asked.type);

	asked.name = dns_name_span(&name);
	check_shown(span_of(msg, len));
	if (len == 0 || dns_answer_parse(&a, span_of(msg, len), &asked) != OK)
		return 0;
	FUZZ_CHECK(a.chain <= DNS_CHAIN_MAX);
	if (dns_answer_pack(&packed, &a, span_of(msg, len), &asked, &limits) != OK)
		return 0;
	FUZZ_CHECK(packed.ttl_s <= limits.max);
	check_cached(&packed, &asked, &limits);
	return 0;
}
