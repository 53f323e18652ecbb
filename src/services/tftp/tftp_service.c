/* SPDX-License-Identifier: MIT */
/*
 * The edge: settings, listening sockets, requests. A request passes, in this order: source, access
 * list, repeat of a running transfer, limits, name, terms, map, file. Whatever it fails at answers
 * or stays silent, and is counted.
 */
#include "services/tftp/tftp_service.h"

#include <errno.h>
#include <string.h>

#include "core/netif.h"
#include "services/tftp/tftp_commands.h"
#include "services/tftp/tftp_session.h"

#define UNPROVEN_RATE 200	/* new transfers a second of addresses that do not answer */
#define BRIEF_RATE 2000		/* beyond that: one packet each, and no socket of their own */
#define UNPROVEN_FREE 32	/* unanswered at once at an address that has answered before */
#define UNPROVEN_BURST 1024
#define RESTARTED seconds(1)	/* silent for so long and asking again: it has started anew */

struct request {
	struct tftp_state *st;
	const struct dgram *dg;
	const struct tftp_msg *msg;
	struct tftp_client who;
	struct tftp_host *host;
	bool brief;
	struct tftp_terms terms;
	struct tftp_name name;
};

/* --- refusing --------------------------------------------------------------------------------- */

static void
refuse(const struct request *rq, enum tftp_code code, const char *text, const char *why)
{
	struct tftp_state *st = rq->st;
	uint8_t *buf;
	size_t len;

	st->stats.refused++;
	tftp_log_refusal(st, rq->dg->peer, rq->msg->file, why, rq->dg->now);
	if (rq->host == NULL || !bucket_take(&rq->host->errors, 1, rq->dg->now)) {
		st->stats.errors_held++;
		return;
	}
	st->stats.errors_sent++;
	buf = udp_reserve(rq->dg->socket, TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1);
	len = tftp_error_packet(buf, TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1, code, text);
	udp_commit_reply(rq->dg->socket, len, rq->dg);
}

/* Services that answer anything: an error sent to one of them may come back for ever. */
static bool
is_reflector(uint16_t port)
{
	return port == 0 || port == 7 || port == 19 || port == 53 || port == 69;
}

static bool
source_is_sane(const struct tftp_state *st, const struct dgram *dg)
{
	(void)st;
	if (is_reflector(addr_port(dg->peer)) || addr_is_any(dg->peer) ||
	    addr_is_multicast(dg->peer))
		return false;
	/* RFC 1123 §4.2.3.4: a request to a broadcast or multicast address is ignored. */
	return addr_equal_host(dg->local, dg->reply_from);
}

/* --- limits ----------------------------------------------------------------------------------- */

/*
 * Forged requests come in floods, and one from a client that was never here looks just like them.
 * It is answered as well, but by one packet that costs little; uploads need more, and have to wait.
 */
static bool
is_bearable(struct request *rq)
{
	struct tftp_state *st = rq->st;

	if ((rq->host->proven && rq->host->unproven < UNPROVEN_FREE) ||
	    bucket_take(&st->unproven, 1, rq->dg->now))
		return true;
	rq->brief = rq->msg->op == TFTP_RRQ && bucket_take(&st->brief, 1, rq->dg->now);
	*(rq->brief ? &st->stats.unproven_brief : &st->stats.unproven_held) += 1;
	return rq->brief;
}

static bool
has_place(struct request *rq)
{
	struct tftp_state *st = rq->st;

	if (rq->host == NULL) {
		st->stats.table_full++;
		return false;
	}
	if (!is_bearable(rq))
		return false;
	if (rq->host->sessions >= st->set->client_sessions_max &&
	    !tftp_session_evict(st, rq->host)) {
		st->stats.client_full++;
		return false;
	}
	if (st->count >= st->set->sessions_max && !tftp_session_evict(st, NULL)) {
		st->stats.table_full++;
		return false;
	}
	return true;
}

/* --- terms, name, file ------------------------------------------------------------------------ */

static void
learn_mac(struct request *rq)
{
	rq->who.mac_known = rq->st->set->needs_mac &&
	    netif_neighbour(rq->st->sv->netif, &rq->who.peer, rq->who.mac) == OK;
}

static enum err
agree(struct request *rq)
{
	const struct netif_link *link = netif_link_find(rq->st->sv->netif, rq->dg->ifindex);
	struct tftp_limits limits =
	    tftp_settings_limits(rq->st->set, &rq->who, link != NULL ? link->mtu : 0);

	return tftp_terms_agree(&rq->terms, rq->msg, &limits);
}

static bool
name_is_good(struct request *rq)
{
	const struct tftp_settings *set = rq->st->set;
	bool upload = rq->msg->op == TFTP_WRQ;
	const char *root = upload ? set->inbox->path
				  : set->store->roots[set->store->root_count - 1].path;
	enum err e = tftp_name_clean(&rq->name, rq->msg->file, root);

	if (e == OK && !upload)
		e = tftp_map_apply(set->map, &rq->who, &rq->name, NULL, NULL);
	if (e == OK)
		return true;
	refuse(rq, TFTP_CODE_DENIED, e == ERR_RANGE ? "File name is too long" : NULL, "name");
	return false;
}

static struct tftp_session *
make_session(struct request *rq)
{
	struct tftp_session *s =
	    tftp_session_new(rq->st, &rq->who, rq->dg, rq->msg->op == TFTP_WRQ, rq->brief);

	if (s == NULL) {
		refuse(rq, TFTP_CODE_OTHER, "Server is short of resources", "resources");
		return NULL;
	}
	s->terms = rq->terms;
	s->netascii = rq->msg->mode == TFTP_NETASCII;
	s->name = rq->name;
	s->asked_len = rq->msg->file.len < sizeof(s->asked) ? rq->msg->file.len : sizeof(s->asked);
	memcpy(s->asked, rq->msg->file.at, s->asked_len);
	return s;
}

/* The file before the OACK: some clients hang on an ERROR behind one. */
static void
begin_read(struct request *rq)
{
	struct tftp_found found;
	struct tftp_session *s;
	enum tftp_find f = tftp_store_find(rq->st->set->store, &rq->name, &rq->who, true, &found,
	    NULL, NULL);

	switch (f) {
	case TFTP_FIND_OK:
		s = make_session(rq);
		if (s != NULL)
			tftp_session_read(s, &found);
		else
			tftp_found_drop(&found);
		return;
	case TFTP_FIND_WAIT:
		s = make_session(rq);
		if (s != NULL)
			tftp_session_search(s);
		return;
	case TFTP_FIND_NONE:
		rq->st->stats.not_found++;
		refuse(rq, TFTP_CODE_NOT_FOUND, NULL, "not found");
		return;
	case TFTP_FIND_DENIED:
		refuse(rq, TFTP_CODE_DENIED, NULL, "not a plain file below the root");
		return;
	case TFTP_FIND_FAILED:
		refuse(rq, TFTP_CODE_OTHER, "Server is short of resources", "resources");
		return;
	}
}

static void
begin(struct request *rq)
{
	bool upload = rq->msg->op == TFTP_WRQ;
	struct tftp_session *s;

	if (upload && rq->st->set->inbox == NULL) {
		refuse(rq, TFTP_CODE_DENIED, "Uploads are switched off", "uploads are off");
		return;
	}
	if (rq->msg->mode == TFTP_MODE_OTHER) {
		refuse(rq, TFTP_CODE_ILLEGAL, "Unknown transfer mode", "mode");
		return;
	}
	learn_mac(rq);
	if (!name_is_good(rq))
		return;
	if (agree(rq) != OK) {
		refuse(rq, TFTP_CODE_OPTIONS, NULL, "option out of range");
		return;
	}
	if (!upload) {
		begin_read(rq);
		return;
	}
	s = make_session(rq);
	if (s != NULL)
		tftp_session_upload(s);
}

/* --- packets ---------------------------------------------------------------------------------- */

/* The packets for an unknown peer are spent, but it still asks: they went before it listened. */
static bool
is_spent(const struct tftp_session *s, mono_us now)
{
	return !s->upload && s->phase == TFTP_ACTIVE && tftp_sender_exhausted(&s->sender) &&
	    now - s->sender.last_sent >= RESTARTED;
}

/* The same request again joins its transfer; anything else from this port is a new beginning. */
static bool
joins(struct tftp_session *s, const struct tftp_msg *msg, mono_us now)
{
	bool same = s->upload == (msg->op == TFTP_WRQ) &&
	    span_equal(msg->file, span_of(s->asked, s->asked_len));
	mono_us progress = s->upload ? s->receiver.last_progress : s->sender.last_progress;

	if (s->upload && s->phase == TFTP_ACTIVE && s->receiver.state == TFTP_RECEIVER_DALLY) {
		tftp_session_end(s, "complete", false);
		return false;
	}
	if (same && !is_spent(s, now) &&
	    (!tftp_session_proven(s) || now - progress < RESTARTED)) {
		tftp_session_repeat(s, now);
		return true;
	}
	tftp_session_end(s, "client began anew", true);
	return false;
}

static void
got_request(struct tftp_state *st, const struct dgram *dg, const struct tftp_msg *msg)
{
	struct request rq = { .st = st, .dg = dg, .msg = msg,
		.who = { .peer = *dg->peer, .server = *dg->reply_from } };
	struct tftp_session *s;

	st->stats.requests++;
	if (!acl_allows(&st->set->acl, st->sv->netif, dg->peer)) {
		st->stats.strangers++;
		return;
	}
	s = tftp_session_find(st, &rq.who.peer, &rq.who.server);
	if (s != NULL && joins(s, msg, dg->now))
		return;
	/* It will ask again, and be answered by who comes after us; an ERROR would end a boot. */
	if (st->leaving) {
		st->stats.too_late++;
		return;
	}
	rq.host = tftp_hosts_get(st->hosts, dg->peer, dg->now);
	if (rq.host == NULL && tftp_session_evict(st, NULL))
		rq.host = tftp_hosts_get(st->hosts, dg->peer, dg->now);
	if (has_place(&rq))
		begin(&rq);
}

/* Something else at the listening port: some transfers are there. */
static void
got_other(struct tftp_state *st, const struct dgram *dg, const struct tftp_msg *msg)
{
	struct tftp_session *s = tftp_session_find(st, dg->peer, dg->reply_from);

	if (s != NULL && s->io.shared) {
		tftp_session_input(s, msg, dg->now);
		return;
	}
	st->stats.strays++;
	if (msg->op == TFTP_ERROR || !acl_allows(&st->set->acl, st->sv->netif, dg->peer))
		return;

	struct request rq = { .st = st, .dg = dg, .msg = msg,
		.host = tftp_hosts_get(st->hosts, dg->peer, dg->now) };

	refuse(&rq, TFTP_CODE_UNKNOWN_TID, NULL, "no such transfer");
}

static void
receive(struct service *sv, const struct dgram *dg)
{
	struct tftp_state *st = sv->state;
	struct tftp_msg msg = { 0 };

	if (!source_is_sane(st, dg)) {
		st->stats.bad_sources++;
		return;
	}
	if (tftp_msg_parse(&msg, dg->data) != OK) {
		st->stats.malformed++;
		return;
	}
	if (msg.op == TFTP_RRQ || msg.op == TFTP_WRQ)
		got_request(st, dg, &msg);
	else
		got_other(st, dg, &msg);
}

/* --- life ------------------------------------------------------------------------------------- */

static enum err
apply(struct service *sv, const struct conf *cf)
{
	struct tftp_state *st = sv->state;
	struct tftp_settings *set;
	enum err e = tftp_settings_new(&set, sv, cf);

	if (e != OK)
		return e;
	if (st->set != NULL) {
		/* Needs another kind of listening socket, so it waits for the next start. */
		set->ports = st->set->ports;
		set->port_first = st->set->port_first;
		set->port_last = st->set->port_last;
	}
	tftp_settings_unref(st->set);
	st->set = set;
	return OK;
}

/* The first settings are made here, while folders may still be opened with root's rights. */
static enum err
start(struct service *sv, const struct conf *cf)
{
	struct udp_opts opts = { .pktinfo = true, .transparent_mtu = true };
	struct tftp_state *st;
	enum err e = tftp_state_new(&st, sv);

	if (e != OK)
		return e;
	sv->state = st;
	bucket_init(&st->unproven, UNPROVEN_RATE, UNPROVEN_BURST, loop_now(sv->loop));
	bucket_init(&st->brief, BRIEF_RATE, BRIEF_RATE, loop_now(sv->loop));
	e = apply(sv, cf);
	if (e != OK)
		return e;
	if (st->set->ports == TFTP_PORTS_SINGLE && st->set->inbox != NULL)
		opts.dgram_max = UDP_DGRAM_MAX;	/* blocks of uploads come this way too */
	for (size_t i = 0; e == OK && i < conf_count(cf, "listen"); i++) {
		struct addr local = conf_addr_at(cf, "listen", i);

		if (service_can_listen(sv, cf, "listen", &local))
			e = service_listen(sv, &local, &opts, NULL);
	}
	if (e == OK && st->set->inbox != NULL) {
		unsigned removed = tftp_inbox_clean(st->set->inbox);

		if (removed != 0)
			log_note(sv->log, LOG_LEVEL_NOTICE, "tftp",
			    "removed %u unfinished uploads from an earlier run", removed);
	}
	return e;
}

static void
report(const struct service *sv, struct report *out)
{
	tftp_commands_report(sv->state, out);
}

static void
command(struct service *sv, struct ctl_request *rq)
{
	tftp_commands_run(sv->state, rq);
}

/*
 * From here on nothing new begins. Uploads that only linger, clients that never answered, and
 * hashes keep nobody waiting.
 */
static bool
busy(const struct service *sv)
{
	struct tftp_state *st = sv->state;
	const struct tftp_session *s;

	st->leaving = true;
	if (st->jobs > st->hashing)
		return true;
	TAILQ_FOREACH(s, &st->all, link)
		if (s->listed && tftp_session_proven(s) &&
		    !(s->upload && s->receiver.state == TFTP_RECEIVER_DALLY))
			return true;
	return false;
}

static void
stop(struct service *sv)
{
	tftp_state_free(sv->state);
	sv->state = NULL;
}

const struct service_ops tftp_service_ops = {
	.abi = HEARTH_SERVICE_ABI,
	.name = "tftp",
	.help = "TFTP server for network boot, firmware and provisioning",
	.keys = tftp_keys,
	.start = start,
	.apply = apply,
	.receive = receive,
	.report = report,
	.command = command,
	.busy = busy,
	.stop = stop,
};
