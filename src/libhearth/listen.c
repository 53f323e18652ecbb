/* SPDX-License-Identifier: MIT */
/*
 * A subscriber: a loop of its own around the sockets (beacon_net), the engine (beacon_receiver) and
 * leases (beacon_tenant). What leaves through the public header is C strings and plain integers.
 */
#include "hearth/listen.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/netif.h"
#include "core/statefile.h"
#include "services/announce/beacon_net.h"
#include "services/announce/beacon_receiver.h"
#include "services/announce/beacon_tenant.h"
#include "services/announce/txt.h"
#include "util/seal.h"

#define LESSORS_MAX 8
#define STATE_KIND "beaconrx"
#define STATE_VERSION 1
#define SAVE_EVERY 60000000		/* usec */
#define WAIT_MAX_MS 60000

_Static_assert((int)HEARTH_EVENT == (int)BEACON_NEWS_EVENT + 1, "the two lists are one");
_Static_assert((int)HEARTH_NOTICE == (int)BEACON_NEWS_NOTICE + 1, "the two lists are one");

struct hearth_listener {
	struct loop *loop;
	struct netif *netif;
	struct beacon_net *net;
	struct beacon_keyring ring;
	struct beacon_receiver *receiver;
	struct beacon_tenant tenants[LESSORS_MAX];
	size_t tenant_count;
	struct timer wake, save;
	char *state;
	uint64_t saved_at_count;	/* datagrams accepted when the state was written */
	uint64_t unasked;		/* came to us alone, and not from a lessor */
	void (*news)(void *ctx, const struct hearth_news *n);
	void *ctx;
	volatile sig_atomic_t stopped;
};

static struct beacon_when
when(const struct hearth_listener *l)
{
	return (struct beacon_when){ .mono = beacon_net_now(l->net),
		.wall_ms = beacon_net_wall_ms() };
}

/* --- news ------------------------------------------------------------------------------------- */

static void
deliver(void *ctx, const struct beacon_delivery *d)
{
	struct hearth_listener *l = ctx;
	char topic[BEACON_TOPIC_MAX + 1];
	struct hearth_news n = { .type = (enum hearth_news_type)(d->news + 1),
		.confirmed = d->confirmed, .reason = d->reason != NULL ? d->reason : "",
		.sender = d->name != NULL ? d->name : "", .sender_id = d->sender,
		.epoch = d->epoch, .seq = d->seq, .time_ms = d->time_ms, .topic = topic,
		.content = (enum hearth_content)d->ctype, .revision = d->rev,
		.payload = d->payload.at, .payload_len = d->payload.len, .first = d->first,
		.last = d->last };

	if (d->topic.len != 0)
		memcpy(topic, d->topic.at, d->topic.len);
	topic[d->topic.len] = '\0';
	l->news(l->ctx, &n);
}

int
hearth_text_next(const struct hearth_news *n, size_t *at, struct hearth_text *out)
{
	struct wire_rd rd;
	struct txt_pair pair;

	if (n->content != HEARTH_CONTENT_TEXT || *at >= n->payload_len)
		return 0;
	rd = wire_rd_of(span_of((const uint8_t *)n->payload + *at, n->payload_len - *at));
	if (!txt_next(&rd, &pair))
		return 0;
	*at += wire_rd_offset(&rd);
	*out = (struct hearth_text){ .key = (const char *)pair.key.at, .key_len = pair.key.len,
		.value = pair.value.at, .value_len = pair.value.len,
		.has_value = pair.has_value };
	return 1;
}

/* --- wiring ----------------------------------------------------------------------------------- */

static void
send_request(void *ctx, struct span dgram)
{
	struct hearth_listener *l = ctx;

	beacon_net_multicast(l->net, dgram);
	for (size_t i = 0; i < l->tenant_count; i++)
		if (beacon_tenant_holds(&l->tenants[i], beacon_net_now(l->net)))
			beacon_net_unicast(l->net, &l->tenants[i].lessor, dgram);
}

static const struct beacon_receiver_ops receiver_ops = { .deliver = deliver, .send = send_request };

static void
wake_tenants(struct hearth_listener *l, mono_us *next)
{
	uint8_t out[BEACON_DGRAM_MAX];
	size_t len;

	for (size_t i = 0; i < l->tenant_count; i++) {
		struct beacon_tenant *t = &l->tenants[i];

		if (beacon_tenant_wake(t, beacon_net_now(l->net), &l->ring, out, &len))
			beacon_net_unicast(l->net, &t->lessor, span_of(out, len));
		*next = mono_earlier(*next, t->next);
	}
}

static void
wake(struct timer *timer, mono_us now)
{
	struct hearth_listener *l = (struct hearth_listener *)((uint8_t *)timer -
	    offsetof(struct hearth_listener, wake));
	struct beacon_when w = when(l);
	mono_us next = beacon_receiver_wake(l->receiver, &w);

	(void)now;
	wake_tenants(l, &next);
	loop_timer(l->loop, timer, beacon_net_timer(l->net, next));
}

/* A lease begins: everything that was said so far is asked for over it. */
static bool
input_of_lessor(struct hearth_listener *l, const struct dgram *dg)
{
	uint8_t out[BEACON_DGRAM_MAX];
	mono_us now = beacon_net_now(l->net);
	size_t len;

	for (size_t i = 0; i < l->tenant_count; i++) {
		struct beacon_tenant *t = &l->tenants[i];
		bool had = beacon_tenant_holds(t, now);

		if (!addr_equal(&t->lessor, dg->peer))
			continue;
		if (beacon_tenant_input(t, now, dg->data, dg->peer, &l->ring, out, &len))
			beacon_net_unicast(l->net, &t->lessor, span_of(out, len));
		if (!had && beacon_tenant_holds(t, now))
			beacon_receiver_join(l->receiver, now);
		return true;
	}
	return false;
}

static bool
was_for_all(const struct addr *local)
{
	return addr_is_multicast(local) || (local->sa.sa_family == AF_INET &&
	    local->in.sin_addr.s_addr == INADDR_BROADCAST);
}

/* What comes to us alone counts only from a lessor; others may only speak to the group. */
static void
receive(void *ctx, const struct dgram *dg, bool on_link)
{
	struct hearth_listener *l = ctx;
	struct beacon_when w = when(l);
	enum beacon_count fate;

	(void)on_link;
	if (!was_for_all(dg->local) && !input_of_lessor(l, dg)) {
		l->unasked++;
		return;
	}
	fate = beacon_receiver_input(l->receiver, &w, dg->data, dg->peer);
	if (fate >= BEACON_C_HELD || l->tenant_count != 0)
		loop_timer(l->loop, &l->wake, dg->now);
}

static void
links_changed(void *ctx)
{
	struct hearth_listener *l = ctx;

	beacon_receiver_join(l->receiver, beacon_net_now(l->net));
	loop_timer(l->loop, &l->wake, loop_now(l->loop));
}

static const struct beacon_net_ops net_ops = { .receive = receive, .changed = links_changed };

/* --- memory ----------------------------------------------------------------------------------- */

static void
save_state(struct hearth_listener *l)
{
	uint64_t accepted = beacon_receiver_count(l->receiver, BEACON_C_ACCEPTED);
	uint8_t *text;
	struct wire_wr wr;

	if (l->state == NULL || accepted == l->saved_at_count)
		return;
	text = malloc(BEACON_STATE_MAX);
	if (text == NULL)
		return;
	wr = wire_wr_of(text, BEACON_STATE_MAX);
	if (beacon_receiver_save(l->receiver, &wr) == OK &&
	    statefile_write(l->state, STATE_KIND, STATE_VERSION, wire_wr_span(&wr)) == OK)
		l->saved_at_count = accepted;
	free(text);
}

static void
save(struct timer *timer, mono_us now)
{
	struct hearth_listener *l = (struct hearth_listener *)((uint8_t *)timer -
	    offsetof(struct hearth_listener, save));

	save_state(l);
	loop_timer(l->loop, timer, now + SAVE_EVERY);
}

/* It says which keys were taken over: whoever can write it could make himself trusted. */
static bool
others_may_write(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0);
}

static enum err
load_state(struct hearth_listener *l, const char *path, char why[HEARTH_WHY_MAX])
{
	uint8_t *text;
	uint32_t version;
	size_t len;
	enum err e;

	if (others_may_write(path)) {
		snprintf(why, HEARTH_WHY_MAX, "%.200s: others may write it (chmod go-w), or it is "
		    "somebody else's", path);
		return ERR_DENIED;
	}
	text = malloc(BEACON_STATE_MAX);
	l->state = strdup(path);
	if (text == NULL || l->state == NULL) {
		free(text);
		return ERR_NOMEM;
	}
	e = statefile_read(path, STATE_KIND, &version, text, BEACON_STATE_MAX, &len);
	if (e == OK && version == STATE_VERSION)
		(void)beacon_receiver_load(l->receiver, span_of(text, len));
	free(text);
	if (e == OK || e == ERR_NOTFOUND)
		return OK;
	snprintf(why, HEARTH_WHY_MAX, "%.200s: %s", path,
	    e == ERR_SYS ? strerror(errno) : "not a memory of this tool; remove it to start anew");
	return e;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum err
add_lessor(struct hearth_listener *l, const char *text, uint16_t port, char why[HEARTH_WHY_MAX])
{
	struct addr a;
	enum err e = l->tenant_count < LESSORS_MAX ? addr_parse(&a, text, port) : ERR_FULL;

	if (e == OK && l->ring.count == 0)
		e = ERR_UNSUPPORTED;
	if (e == OK)
		beacon_tenant_init(&l->tenants[l->tenant_count++], &a, beacon_net_now(l->net));
	else
		snprintf(why, HEARTH_WHY_MAX, "%.100s: %s", text,
		    e == ERR_FULL ? "more than 8 leases"
		    : e == ERR_UNSUPPORTED ? "leases need a group key" : "not an address");
	return e;
}

static enum err
open_net(struct hearth_listener *l, const struct hearth_listen_opts *o, char why[HEARTH_WHY_MAX])
{
	static const char *const all[] = { "*", NULL };
	const char *const *names = o->interfaces != NULL && o->interfaces[0] != NULL
	    ? o->interfaces : all;
	struct beacon_net_opts no = { .ops = &net_ops, .ctx = l, .loop = l->loop,
		.netif = l->netif, .interfaces = names, .port = o->port, .ipv4 = true,
		.ipv6 = true, .rejoin = seconds(o->rejoin_s) };
	enum err e;

	while (names[no.interface_count] != NULL)
		no.interface_count++;
	e = beacon_net_open(&l->net, &no);
	if (e != OK)
		snprintf(why, HEARTH_WHY_MAX, "cannot listen: %s",
		    e == ERR_SYS ? strerror(errno) : err_text(e));
	return e;
}

static enum err
open_receiver(struct hearth_listener *l, const struct hearth_listen_opts *o,
    char why[HEARTH_WHY_MAX])
{
	struct beacon_trust *trust = calloc(1, sizeof(*trust));
	struct beacon_receiver_opts ro = { .ops = &receiver_ops, .ctx = l, .ring = &l->ring,
		.trust = trust, .now = when(l) };
	enum err e = trust != NULL ? OK : ERR_NOMEM;

	seal_random(&ro.seed, sizeof(ro.seed));
	if (e == OK && o->group_key != NULL)
		e = beacon_keyring_load(&l->ring, o->group_key, why);
	if (e == OK && o->trust != NULL)
		e = beacon_trust_load(trust, o->trust, why);
	if (e == OK)
		e = beacon_receiver_new(&l->receiver, &ro);
	free(trust);
	return e;
}

static enum err
open_all(struct hearth_listener *l, const struct hearth_listen_opts *o, char why[HEARTH_WHY_MAX])
{
	uint16_t port = o->port != 0 ? o->port : BEACON_PORT;
	enum err e = seal_init();

	if (e == OK)
		e = loop_new(&l->loop);
	if (e == OK)
		e = netif_new(&l->netif, l->loop, NULL);
	if (e == OK)
		e = open_net(l, o, why);
	if (e == OK)
		e = open_receiver(l, o, why);
	if (e == OK && o->state != NULL)
		e = load_state(l, o->state, why);
	for (size_t i = 0; e == OK && o->lessors != NULL && o->lessors[i] != NULL; i++)
		e = add_lessor(l, o->lessors[i], port, why);
	return e;
}

int
hearth_listen_open(struct hearth_listener **out, const struct hearth_listen_opts *o,
    char why[HEARTH_WHY_MAX])
{
	struct hearth_listener *l = calloc(1, sizeof(*l));
	enum err e = ERR_NOMEM;

	why[0] = '\0';
	if (o->size != sizeof(*o) || o->news == NULL) {
		free(l);
		snprintf(why, HEARTH_WHY_MAX, "built for another version of libhearth");
		return -1;
	}
	if (l != NULL) {
		l->news = o->news;
		l->ctx = o->ctx;
		l->wake.fire = wake;
		l->save.fire = save;
		e = open_all(l, o, why);
	}
	if (e != OK) {
		if (why[0] == '\0')
			snprintf(why, HEARTH_WHY_MAX, "%s",
			    e == ERR_SYS ? strerror(errno) : err_text(e));
		hearth_listen_close(l);
		return -1;
	}
	if (beacon_net_links(l->net) == 0)
		snprintf(why, HEARTH_WHY_MAX,
		    "no interface here is one of those asked for; waiting for one");
	else if (l->ring.count != 0 && !l->ring.vault.locked)
		snprintf(why, HEARTH_WHY_MAX,
		    "the group's keys may reach swap: the limit of locked memory is too low");
	loop_timer(l->loop, &l->wake, loop_now(l->loop));
	loop_timer(l->loop, &l->save, loop_now(l->loop) + SAVE_EVERY);
	*out = l;
	return 0;
}

void
hearth_listen_close(struct hearth_listener *l)
{
	uint8_t bye[BEACON_DGRAM_MAX];

	if (l == NULL)
		return;
	if (l->receiver != NULL)
		save_state(l);
	for (size_t i = 0; i < l->tenant_count; i++)
		beacon_net_unicast(l->net, &l->tenants[i].lessor,
		    span_of(bye, beacon_tenant_end(&l->tenants[i], &l->ring, bye)));
	beacon_net_close(l->net);
	beacon_receiver_free(l->receiver);
	beacon_keyring_fini(&l->ring);
	netif_free(l->netif);
	loop_free(l->loop);
	free(l->state);
	free(l);
}

int
hearth_listen_fd(const struct hearth_listener *l)
{
	return loop_descriptor(l->loop);
}

int
hearth_listen_timeout(const struct hearth_listener *l)
{
	struct timespec ts;
	mono_us due = loop_due(l->loop), now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = seconds(ts.tv_sec) + ts.tv_nsec / 1000;
	if (due <= now)
		return 0;
	return due - now > millis(WAIT_MAX_MS) ? WAIT_MAX_MS : (int)((due - now + 999) / 1000);
}

int
hearth_listen_process(struct hearth_listener *l)
{
	return loop_turn(l->loop, 0) == OK ? 0 : -1;
}

int
hearth_listen_run(struct hearth_listener *l)
{
	l->stopped = 0;
	while (l->stopped == 0)
		if (loop_turn(l->loop, MONO_NEVER) != OK)
			return -1;
	return 0;
}

void
hearth_listen_stop(struct hearth_listener *l)
{
	l->stopped = 1;
}

/* Counters behind those of the engine: of its tables, and of the sockets. */
static const char *
further_count(const struct hearth_listener *l, unsigned i, uint64_t *value)
{
	struct beacon_net_stats net;
	struct beacon_caps caps;

	beacon_net_stats(l->net, &net);
	beacon_receiver_caps(l->receiver, &caps);

	const struct {
		const char *name;
		uint64_t value;
	} all[] = { { "topics_refused", caps.topics_refused },
		{ "fragments_timed_out", caps.fragments_timed_out },
		{ "fragments_refused", caps.fragments_refused },
		{ "held_evicted", caps.held_evicted },
		{ "sources_evicted", caps.sources_evicted }, { "unasked", l->unasked },
		{ "senders_unheard", caps.unheard },
		{ "foreign_links", net.foreign_links }, { "joins_failed", net.joins_failed },
		{ "kernel_drops", net.kernel_drops }, { "send_dropped", net.send_dropped },
		{ "send_refused", net.send_refused } };

	if (i >= sizeof(all) / sizeof(all[0]))
		return NULL;
	*value = all[i].value;
	return all[i].name;
}

const char *
hearth_listen_count(const struct hearth_listener *l, unsigned i, uint64_t *value)
{
	if (i >= BEACON_COUNTS)
		return further_count(l, i - BEACON_COUNTS, value);
	*value = beacon_receiver_count(l->receiver, (enum beacon_count)i);
	return beacon_receiver_count_name((enum beacon_count)i);
}
