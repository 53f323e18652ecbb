/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_crypt.h"

#include <string.h>

#include "services/dns/dns_msg.h"
#include "support/fake_crypt.h"
#include "support/fakedns.h"
#include "support/unit.h"

/* A TXT answer with these rules for the provider's name. */
static struct span
txt_answer(struct zone *z, uint8_t out[static FAKEDNS_MSG_MAX])
{
	static const uint8_t query[] = "\0\1\1\0\0\1\0\0\0\0\0\1\0012\15dnscrypt-cert\7example\0"
				       "\0\20\0\1\0\0\51\4\320\0\0\0\0\0";
	struct ask a;
	struct how how;

	CU_ASSERT_TRUE_FATAL(ask_parse(&a, query, sizeof(query)));
	a.tcp = true;
	CU_ASSERT_TRUE(zone_decide(z, &a, &how));
	return span_of(out, zone_answer(z, &a, &how, out));
}

static void
add(struct zone *z, const char *rule)
{
	const char *why;

	CU_ASSERT_TRUE_FATAL(zone_add(z, rule, &why));
}

static void
the_newest_valid_certificate_is_chosen(void)
{
	struct fake_crypt c, stranger, old;
	struct zone *z = zone_new();
	struct dns_crypt_cert cert;
	static uint8_t out[FAKEDNS_MSG_MAX];
	char rule[1024];

	CU_ASSERT_EQUAL(seal_init(), OK);
	fake_crypt_init(&c);
	fake_crypt_init(&stranger);
	old = c;
	old.es_version = 1;
	CU_ASSERT_EQUAL(dns_crypt_cert_choose(&cert, txt_answer(z, out), c.provider, 150),
			ERR_NOTFOUND);
	add(z, fake_crypt_rule(&c, 7, 100, 200, rule));
	add(z, fake_crypt_rule(&c, 9, 100, 200, rule));
	add(z, fake_crypt_rule(&c, 8, 100, 200, rule));
	add(z, fake_crypt_rule(&c, 20, 100, 149, rule));	/* too old */
	add(z, fake_crypt_rule(&c, 21, 151, 200, rule));	/* not yet */
	add(z, fake_crypt_rule(&stranger, 22, 100, 200, rule)); /* another provider's */
	add(z, fake_crypt_rule(&old, 23, 100, 200, rule));	/* a construction we lack */
	add(z, "2.dnscrypt-cert.example TXT \"DNSC\"");

	struct span answer = txt_answer(z, out);

	CU_ASSERT_EQUAL(dns_crypt_cert_choose(&cert, answer, c.provider, 150), OK);
	CU_ASSERT_EQUAL(cert.serial, 9);
	CU_ASSERT_EQUAL(memcmp(cert.key, c.public, sizeof(cert.key)), 0);
	CU_ASSERT_EQUAL(memcmp(cert.magic, c.magic, sizeof(cert.magic)), 0);
	CU_ASSERT_EQUAL(dns_crypt_cert_choose(&cert, answer, c.provider, 149), OK);
	CU_ASSERT_EQUAL(cert.serial, 20); /* the last second counts */
	CU_ASSERT_EQUAL(dns_crypt_cert_choose(&cert, answer, c.provider, 201), ERR_NOTFOUND);
	CU_ASSERT_EQUAL(dns_crypt_cert_choose(&cert, answer, c.provider, 0), OK);
	CU_ASSERT_EQUAL(cert.serial, 21); /* without a clock: the newest */
	zone_free(z);
}

static void
a_certificate_with_any_bit_changed_is_refused(void)
{
	struct fake_crypt c;
	struct dns_crypt_cert cert;
	uint8_t bytes[FAKE_CRYPT_CERT];

	fake_crypt_init(&c);

	size_t len = fake_crypt_cert(&c, 1, 100, 200, bytes);

	CU_ASSERT_EQUAL(len, 124);
	CU_ASSERT_EQUAL(dns_crypt_cert_read(&cert, span_of(bytes, len), c.provider), OK);
	CU_ASSERT_EQUAL(cert.start_s, 100);
	CU_ASSERT_EQUAL(cert.end_s, 200);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(dns_crypt_cert_read(&cert, span_of(bytes, len), c.provider),
				    OK);
		bytes[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(dns_crypt_cert_read(&cert, span_of(bytes, i), c.provider), OK);
	}
	CU_ASSERT_EQUAL(dns_crypt_cert_read(&cert, span_of(bytes, len), c.public), ERR_AUTH);
}

static struct dns_crypt_session
session_with(const struct fake_crypt *c)
{
	struct dns_crypt_session s;
	struct dns_crypt_cert cert;
	uint8_t bytes[FAKE_CRYPT_CERT];

	CU_ASSERT_EQUAL(dns_crypt_cert_read(&cert,
					    span_of(bytes, fake_crypt_cert(c, 1, 100, 200, bytes)),
					    c->provider),
			OK);
	CU_ASSERT_EQUAL(dns_crypt_session_init(&s, &cert), OK);
	return s;
}

static void
queries_and_responses_make_the_round(void)
{
	static const uint8_t nonce[12] = "abcdefghijkl";
	struct fake_crypt c;
	struct fake_crypt_peer peer;
	uint8_t packet[1500], buf[2048], reply[2048];
	struct span query = span_str("a query of some bytes"), got, out;

	fake_crypt_init(&c);

	struct dns_crypt_session s = session_with(&c);

	for (size_t padded = query.len + 1; padded < 1200; padded += 63) {
		size_t len = dns_crypt_query(packet, sizeof(packet), &s, nonce, query, padded);

		CU_ASSERT_EQUAL(len, padded + DNS_CRYPT_QUERY_EXTRA);
		CU_ASSERT_TRUE_FATAL(fake_crypt_open(&c, &peer, span_of(packet, len), buf, &got));
		CU_ASSERT_TRUE(span_equal(got, query));
		/* Any amount of padding comes back: implementations do not agree on it. */
		c.pad = 1 + padded % 300;
		len = fake_crypt_seal(&c, &peer, span_str("the answer"), reply);
		CU_ASSERT_EQUAL(dns_crypt_reply(&out, buf, &s, nonce, span_of(reply, len)), OK);
		CU_ASSERT_TRUE(span_equal(out, span_str("the answer")));
	}
	CU_ASSERT_EQUAL(dns_crypt_query(packet, 100, &s, nonce, query, 64), 0);
	CU_ASSERT_EQUAL(dns_crypt_query(packet, sizeof(packet), &s, nonce, query, 1u << 20), 0);
}

static void
a_response_that_is_not_ours_is_refused(void)
{
	static const uint8_t nonce[12] = "abcdefghijkl", other[12] = "abcdefghijkm";
	struct fake_crypt c;
	struct fake_crypt_peer peer;
	uint8_t packet[1500], buf[2048], reply[2048];
	struct span got, out;

	fake_crypt_init(&c);

	struct dns_crypt_session s = session_with(&c);
	size_t len = dns_crypt_query(packet, sizeof(packet), &s, nonce, span_str("query"), 64);

	CU_ASSERT_TRUE_FATAL(fake_crypt_open(&c, &peer, span_of(packet, len), buf, &got));
	len = fake_crypt_seal(&c, &peer, span_str("the answer"), reply);
	CU_ASSERT_EQUAL(dns_crypt_reply(&out, buf, &s, other, span_of(reply, len)), ERR_AUTH);
	for (size_t i = 0; i < len; i++) {
		reply[i] ^= 0x80;
		CU_ASSERT_EQUAL(dns_crypt_reply(&out, buf, &s, nonce, span_of(reply, len)),
				ERR_AUTH);
		reply[i] ^= 0x80;
		CU_ASSERT_EQUAL(dns_crypt_reply(&out, buf, &s, nonce, span_of(reply, i)), ERR_AUTH);
	}

	struct dns_crypt_session stranger = session_with(&c);

	CU_ASSERT_EQUAL(dns_crypt_reply(&out, buf, &stranger, nonce, span_of(reply, len)),
			ERR_AUTH);
	CU_ASSERT_EQUAL(dns_crypt_reply(&out, buf, &s, nonce, span_of(reply, len)), OK);
	CU_ASSERT_PTR_NULL(dns_crypt_reply_nonce(span_of(NULL, 0)));
}

UNIT_MAIN("dns_crypt", UNIT(the_newest_valid_certificate_is_chosen),
	  UNIT(a_certificate_with_any_bit_changed_is_refused),
	  UNIT(queries_and_responses_make_the_round), UNIT(a_response_that_is_not_ours_is_refused))
