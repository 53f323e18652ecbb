/* SPDX-License-Identifier: MIT */
/* hearthctl announce list | publish | withdraw, and what status shows. */
#include "services/announce/announce_service_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/loop.h"
#include "core/netif.h"
#include "services/announce/armor.h"
#include "services/announce/txt.h"

#define CLONE_KEPT seconds(300)	/* since the other one was heard last; it is asked for every 30 s */

static void
report_text(struct report *out, struct span payload)
{
	struct report *text = report_object(out, "text");
	struct wire_rd rd = wire_rd_of(payload);
	struct txt_pair pair;
	char key[TXT_STRING_MAX + 1];

	while (txt_next(&rd, &pair)) {
		memcpy(key, pair.key.at, pair.key.len);
		key[pair.key.len] = '\0';
		report_span(text, key, pair.value);
	}
}

static void
list(const struct announce *an, struct ctl_request *rq)
{
	struct report *all = report_list(rq->out, "published");

	for (size_t i = 0; i < beacon_sender_count(an->voice->sender); i++) {
		struct beacon_published p;
		struct report *o = report_object(all, NULL);

		beacon_sender_get(an->voice->sender, i, &p);
		report_span(o, "topic", p.topic);
		report_u64(o, "rev", p.rev);
		report_u64(o, "seq", p.seq);
		report_u64(o, "lifetime_s", p.lifetime_s);
		if (p.ctype == BEACON_CTYPE_TXT)
			report_text(o, p.payload);
	}
	ctl_done(rq);
}

#define PUBLISH_WHY_MAX 512	/* bytes of what is wrong with a lifetime */

#define PUBLISH_USAGE                                                                              \
	"announce publish [--lifetime TIME] TOPIC [KEY=VALUE]... | "                               \
	"announce publish --event TOPIC [KEY=VALUE]..."

struct publish_args {
	bool event;
	const char *lifetime;	/* as typed, or NULL */
	size_t topic;		/* place of the topic in argv */
};

/* Read what stands before the topic. False where it makes no sense. */
static bool
read_options(const struct ctl_request *rq, struct publish_args *a)
{
	size_t i = 1;

	*a = (struct publish_args){ .event = false };
	for (; i < rq->argc && strncmp(rq->argv[i], "--", 2) == 0; i++) {
		if (strcmp(rq->argv[i], "--event") == 0)
			a->event = true;
		else if (strcmp(rq->argv[i], "--lifetime") == 0 && i + 1 < rq->argc)
			a->lifetime = rq->argv[++i];
		else
			return false;
	}
	a->topic = i;
	return i < rq->argc;
}

/* Read and check all that is said of how; where it is wrong the request has ended. */
static bool
read_publish(struct ctl_request *rq, struct publish_args *a, uint32_t *lifetime_s)
{
	char why[PUBLISH_WHY_MAX];
	usec span = 0;

	if (!read_options(rq, a)) {
		ctl_fail(rq, "usage: " PUBLISH_USAGE);
		return false;
	}
	if (a->event && a->lifetime != NULL) {
		ctl_fail(rq, "usage: announce publish --event TOPIC [KEY=VALUE]... (an event is "
		    "over when it is said: no --lifetime)");
		return false;
	}
	if (a->lifetime != NULL && conf_parse_as(&announce_publish_keys[ANNOUNCE_PUBLISH_LIFETIME],
	    a->lifetime, &span, why, sizeof(why)) != OK) {
		ctl_fail(rq, "usage: announce publish --lifetime TIME: %s", why);
		return false;
	}
	*lifetime_s = (uint32_t)(span / seconds(1));
	return true;
}

static enum err
build_text(const struct ctl_request *rq, size_t from, struct wire_wr *wr)
{
	for (size_t i = from; i < rq->argc; i++) {
		struct txt_pair pair = txt_split(span_str(rq->argv[i]));
		enum err e = txt_put(wr, &pair);

		if (e != OK)
			return e;
	}
	return OK;
}

static const char *
publish_trouble(enum err e, bool event)
{
	switch (e) {
	case ERR_FORMAT:
		return "a topic is 1 to 64 printable characters without blank, * and ?; text is "
		       "KEY=VALUE with a printable key";
	case ERR_FULL:
		return event ? "more than 100 events a second" : "no room for more states";
	case ERR_RANGE:
		return "a pair has at most 255 bytes";
	default:
		return err_text(e);
	}
}

static void
publish(struct announce *an, struct ctl_request *rq)
{
	struct beacon_when now = announce_when(an);
	struct beacon_sender *s = an->voice->sender;
	uint8_t text[CTL_LINE_MAX];
	struct wire_wr wr = wire_wr_of(text, sizeof(text));
	struct publish_args a;
	uint32_t lifetime_s;
	enum err e;

	if (!read_publish(rq, &a, &lifetime_s))
		return;
	e = build_text(rq, a.topic + 1, &wr);
	if (e == OK)
		e = (a.event ? beacon_sender_event : beacon_sender_publish)(s, &now,
		    span_str(rq->argv[a.topic]), BEACON_CTYPE_TXT, wire_wr_span(&wr), lifetime_s);
	if (e != OK) {
		ctl_fail(rq, "%s", publish_trouble(e, a.event));
		return;
	}
	announce_pump(an);
	report_str(rq->out, a.event ? "event" : "state", rq->argv[a.topic]);
	if (a.event)
		report_u64(rq->out, "seq", beacon_sender_seq(s));
	ctl_done(rq);
}

static void
withdraw(struct announce *an, struct ctl_request *rq)
{
	struct beacon_when now = announce_when(an);

	if (rq->argc != 2) {
		ctl_fail(rq, "usage: announce withdraw TOPIC");
		return;
	}
	if (beacon_sender_withdraw(an->voice->sender, &now, span_str(rq->argv[1])) != OK) {
		ctl_fail(rq, "\"%s\" is not published", rq->argv[1]);
		return;
	}
	announce_pump(an);
	report_str(rq->out, "withdrawn", rq->argv[1]);
	ctl_done(rq);
}

void
announce_command(struct announce *an, struct ctl_request *rq)
{
	const char *word = rq->argc != 0 ? rq->argv[0] : "";

	if (strcmp(word, "list") == 0)
		list(an, rq);
	else if (strcmp(word, "publish") == 0)
		publish(an, rq);
	else if (strcmp(word, "withdraw") == 0)
		withdraw(an, rq);
	else
		ctl_fail(rq, "usage: announce list | " PUBLISH_USAGE " | announce withdraw TOPIC");
}

/* --- status ---------------------------------------------------------------------------------- */

static void
report_sender(const struct announce *an, struct report *out)
{
	const struct beacon_sender *s = an->voice->sender;
	const struct beacon_sender_stats *st = beacon_sender_stats(s);
	const struct beacon_leases *leases = &an->leases;

	report_u64(out, "epoch", beacon_sender_epoch(s));
	report_u64(out, "seq", beacon_sender_seq(s));
	report_u64(out, "published", beacon_sender_count(s));
	report_u64(out, "sent", st->sent);
	report_u64(out, "sent_bytes", st->sent_bytes);
	report_u64(out, "events", st->events);
	report_u64(out, "events_refused", st->events_refused);
	report_u64(out, "states", st->states);
	report_u64(out, "states_refused", st->states_refused);
	report_u64(out, "withdrawals", st->withdrawals);
	report_u64(out, "digests", st->digests);
	report_u64(out, "copies", st->copies);
	report_u64(out, "repairs", st->repairs);
	report_u64(out, "repairs_limited", st->repairs_limited);
	report_u64(out, "repairs_gone", st->repairs_gone);
	report_u64(out, "pulls", st->pulls);
	report_u64(out, "requests", st->requests);
	report_u64(out, "requests_limited", st->requests_limited);
	report_u64(out, "requests_forged", st->requests_forged);
	report_u64(out, "tokens_limited", st->tokens_limited);
	report_u64(out, "malformed", st->malformed);
	report_u64(out, "clones", st->clones);
	report_u64(out, "leases", leases->count);
	report_u64(out, "leases_max", leases->max);
	report_u64(out, "leases_refused", leases->refused);
	report_u64(out, "lease_challenges", st->challenges);
	report_u64(out, "lease_bad_cookies", leases->bad_cookies);
}

static void
report_net(const struct announce *an, struct report *out)
{
	struct report *all = report_list(out, "links");
	struct beacon_net_stats st;

	for (size_t i = 0; i < beacon_net_links(an->net); i++) {
		struct report *o = report_object(all, NULL);
		struct beacon_link l;

		beacon_net_link(an->net, i, &l);
		report_str(o, "name", l.name);
		report_bool(o, "ipv4", l.ipv4);
		report_bool(o, "ipv6", l.ipv6);
		report_bool(o, "broadcast", l.broadcast);
	}
	beacon_net_stats(an->net, &st);
	report_u64(out, "received", st.received);
	report_u64(out, "joins_failed", st.joins_failed);
	report_u64(out, "links_dropped", netif_stats(an->sv->netif)->dropped);
	report_u64(out, "rejoins", st.rejoins);
	report_u64(out, "link_changes", st.changes);
	report_u64(out, "resumes", st.resumes);
	report_u64(out, "foreign_links", st.foreign_links);
	report_u64(out, "kernel_drops", st.kernel_drops);
	report_u64(out, "send_dropped", st.send_dropped);
	report_u64(out, "send_refused", st.send_refused);
}

static void
report_files(const struct announce *an, struct report *out)
{
	struct announce_files_stats st;

	if (an->files == NULL)
		return;
	announce_files_stats(an->files, &st);

	struct report *o = report_object(out, "files");

	report_u64(o, "announced", st.files);
	report_u64(o, "skipped", st.skipped);
	report_u64(o, "looks", st.scans);
	report_u64(o, "hashed", st.hashed);
	report_u64(o, "hashed_bytes", st.hashed_bytes);
}

void
announce_report(const struct announce *an, struct report *out)
{
	char text[8 + ARMOR_BASE64_TEXT(SEAL_PUBLIC_BYTES)] = "ed25519:";

	if (an->voice->sender == NULL)
		return;
	armor_base64(text + strlen(text), span_of(an->voice->me.public, SEAL_PUBLIC_BYTES));
	report_str(out, "key", text);
	report_bool(out, "sealed", an->ring.count != 0);
	report_u64(out, "group_keys", an->ring.count);
	report_bool(out, "keys_locked", announce_keys_locked(an));
	report_bool(out, "identity_used_by_two_hosts", an->clone_at != 0 &&
	    loop_now(an->sv->loop) - an->clone_at < CLONE_KEPT);
	report_sender(an, out);
	report_net(an, out);
	report_files(an, out);
}
