/* SPDX-License-Identifier: MIT */
/*
 * Records as people write them: what is taken can be sent, and written the way of RFC 3597 or that
 * of its type it is the same record again.
 */
#include "fuzz.h"

#include "services/dns/dns_compress.h"
#include "services/dns/dns_record.h"
#include "services/dns/dns_token.h"

static size_t
write_generic(const struct dns_record *r, char *text, size_t cap)
{
	char name[DNS_NAME_TEXT_MAX];
	size_t at = (size_t)snprintf(text, cap, "%s %u IN TYPE%u \\# %u ",
	    dns_name_format(dns_name_span(&r->owner), name), r->ttl_s, r->type, r->len);

	for (size_t i = 0; i < r->len; i++)
		at += (size_t)snprintf(text + at, cap - at, "%02x", r->data[i]);
	return at;
}

static size_t
write_own(const struct dns_record *r, uint8_t *text, size_t cap)
{
	struct wire_wr out = wire_wr_of(text, cap);
	char type[DNS_TYPE_TEXT_MAX];

	dns_token_put(&out, "x ");
	dns_token_put(&out, dns_type_format(r->type, type));
	dns_token_put(&out, " ");
	dns_record_write(r->type, dns_record_data(r), dns_record_data(r), &out);
	FUZZ_CHECK(!out.bad);
	return wire_wr_len(&out);
}

static void
check_sendable(const struct dns_record *r)
{
	static uint8_t msg[DNS_MSG_MAX];
	struct dns_compress c;
	struct dns_compress_rr rr = { .owner = dns_name_span(&r->owner), .type = r->type,
	    .class = DNS_CLASS_IN, .ttl = r->ttl_s, .msg = dns_record_data(r),
	    .rdata = dns_record_data(r) };

	dns_compress_begin(&c, msg, sizeof(msg), span_of("\0\0\0\0\0", 5));
	FUZZ_CHECK(dns_compress_record(&c, &rr, NULL) == OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[DNS_NAME_TEXT_MAX + 100 + 2 * DNS_RECORD_DATA_MAX];
	static uint8_t own[DNS_RECORD_TEXT_MAX];
	static struct dns_record r;
	static struct dns_record again;
	const char *why = NULL;

	if (dns_record_parse(&r, span_of(data, size), &why) != OK) {
		FUZZ_CHECK(why != NULL);
		return 0;
	}
	FUZZ_CHECK(why == NULL && r.len <= sizeof(r.data));
	FUZZ_CHECK(dns_name_at(dns_name_span(&r.owner)).len == r.owner.len);
	FUZZ_CHECK(r.ttl_s <= DNS_TTL_MAX);
	check_sendable(&r);
	FUZZ_CHECK(dns_record_parse(&again, span_of(text, write_generic(&r, text, sizeof(text))),
		       &why) == OK);
	FUZZ_CHECK(again.type == r.type && again.ttl_s == r.ttl_s);
	FUZZ_CHECK(span_equal(dns_record_data(&again), dns_record_data(&r)));
	FUZZ_CHECK(span_equal(dns_name_span(&again.owner), dns_name_span(&r.owner)));
	FUZZ_CHECK(dns_record_parse(&again, span_of(own, write_own(&r, own, sizeof(own))), &why) ==
	    OK);
	FUZZ_CHECK(span_equal(dns_record_data(&again), dns_record_data(&r)));
	return 0;
}
