/* SPDX-License-Identifier: MIT */
/* How sets are named, and what answers of netfilter come to. */
#include "core/addrset_impl.h"

#include <errno.h>

#include "support/netlink.h"
#include "support/unit.h"

static void
sets_of_nftables_are_named_by_family_table_and_name(void)
{
	static const struct {
		const char *text;
		enum err want;
	} texts[] = {
		{ "inet home v4", OK }, { "ip  t   s", OK }, { "bridge a b", OK },
		{ "", ERR_FORMAT }, { "home v4", ERR_FORMAT }, { "inet home", ERR_FORMAT },
		{ "inet home v4 v6", ERR_FORMAT }, { "inet 4 home", ERR_FORMAT },
		{ "ipv4 home v4", ERR_FORMAT },
		{ "inet home a12345678901234567890123456789012345678901234567890123456789012", OK },
		{ "inet home a123456789012345678901234567890123456789012345678901234567890123", ERR_RANGE },
	};
	struct addrset_id id;
	char text[ADDRSET_TEXT_MAX];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(addrset_id_parse(&id, ADDRSET_NFT, texts[i].text), texts[i].want);
	CU_ASSERT_EQUAL(addrset_id_parse(&id, ADDRSET_NFT, " inet  home v4"), OK);
	CU_ASSERT_EQUAL(id.kind, ADDRSET_NFT);
	CU_ASSERT_STRING_EQUAL(id.table, "home");
	CU_ASSERT_STRING_EQUAL(id.name, "v4");
	CU_ASSERT_STRING_EQUAL(addrset_id_text(&id, text), "inet home v4");
}

static void
sets_of_ipset_are_named_by_their_name(void)
{
	static const struct {
		const char *text;
		enum err want;
	} texts[] = {
		{ "vpn", OK }, { "4-vpn_new.x", OK }, { "a123456789012345678901234567890", OK },
		{ "", ERR_FORMAT }, { "two words", ERR_FORMAT }, { "line\n", ERR_FORMAT },
		{ "\x80", ERR_FORMAT },
		{ "a1234567890123456789012345678901", ERR_RANGE },
	};
	struct addrset_id id;
	char text[ADDRSET_TEXT_MAX];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(addrset_id_parse(&id, ADDRSET_IPSET, texts[i].text), texts[i].want);
	CU_ASSERT_EQUAL(addrset_id_parse(&id, ADDRSET_IPSET, "vpn6"), OK);
	CU_ASSERT_EQUAL(id.kind, ADDRSET_IPSET);
	CU_ASSERT_STRING_EQUAL(addrset_id_text(&id, text), "vpn6");
}

/* What answers to the messages 5 to 7 come to: an error, -1 where the end has not come. */
static int
taken(const struct netlink_test *t)
{
	struct addrset_question q = { .first = 5, .last = 7 };
	int error;

	return addrset_take(&q, t->bytes, t->len, &error) ? error : -1;
}

static void
answers_end_with_that_to_the_last_message(void)
{
	struct netlink_test t = { 0 };

	CU_ASSERT_EQUAL(taken(&t), -1);
	netlink_test_verdict(&t, NLMSG_ERROR, 5, 0);
	netlink_test_verdict(&t, NLMSG_ERROR, 6, 0);
	CU_ASSERT_EQUAL(taken(&t), -1);
	netlink_test_verdict(&t, NLMSG_ERROR, 7, 0);
	CU_ASSERT_EQUAL(taken(&t), 0);
	t = (struct netlink_test){ 0 };
	netlink_test_verdict(&t, NLMSG_DONE, 7, 0);
	CU_ASSERT_EQUAL(taken(&t), 0);
}

static void
an_error_of_an_earlier_message_is_the_answer(void)
{
	struct netlink_test t = { 0 };

	netlink_test_verdict(&t, NLMSG_ERROR, 5, 0);
	netlink_test_verdict(&t, NLMSG_ERROR, 6, -ENOENT);
	netlink_test_verdict(&t, NLMSG_ERROR, 7, 0);
	CU_ASSERT_EQUAL(taken(&t), ENOENT);
	/* A list that breaks off. */
	t = (struct netlink_test){ 0 };
	netlink_test_verdict(&t, NLMSG_DONE, 7, -EINTR);
	CU_ASSERT_EQUAL(taken(&t), EINTR);
}

static void
answers_to_other_questions_are_passed_over(void)
{
	struct netlink_test t = { 0 };

	netlink_test_verdict(&t, NLMSG_ERROR, 4, -EPERM);
	netlink_test_verdict(&t, NLMSG_ERROR, 8, -EPERM);
	CU_ASSERT_EQUAL(taken(&t), -1);
	netlink_test_verdict(&t, NLMSG_ERROR, 7, 0);
	CU_ASSERT_EQUAL(taken(&t), 0);
}

static void
what_is_cut_off_or_makes_no_sense_is_an_error(void)
{
	struct netlink_test t = { 0 };
	size_t at = netlink_test_begin(&t, NLMSG_ERROR, 7);

	netlink_test_end(&t, at);
	CU_ASSERT_EQUAL(taken(&t), EPROTO);
	t = (struct netlink_test){ 0 };
	netlink_test_verdict(&t, NLMSG_ERROR, 7, 1);
	CU_ASSERT_EQUAL(taken(&t), EPROTO);
	t = (struct netlink_test){ 0 };
	netlink_test_verdict(&t, NLMSG_ERROR, 7, INT32_MIN);
	CU_ASSERT_EQUAL(taken(&t), EPROTO);
	t.len -= 2;
	CU_ASSERT_EQUAL(taken(&t), -1);
}

UNIT_MAIN("addrset", UNIT(sets_of_nftables_are_named_by_family_table_and_name),
    UNIT(sets_of_ipset_are_named_by_their_name), UNIT(answers_end_with_that_to_the_last_message),
    UNIT(an_error_of_an_earlier_message_is_the_answer),
    UNIT(answers_to_other_questions_are_passed_over),
    UNIT(what_is_cut_off_or_makes_no_sense_is_an_error))
