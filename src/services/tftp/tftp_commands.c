/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/netif.h"
#include "core/service.h"
#include "util/mac.h"

#define TRACE_STEPS 32	/* places shown by `map`; more are looked at than shown */

void
tftp_commands_report(const struct tftp_state *st, struct report *out)
{
	const struct tftp_stats *t = &st->stats;
	const struct { const char *key; uint64_t value; } rows[] = {
		{ "reading", t->reading }, { "uploading", t->uploading }, { "ending", t->ending },
		{ "requests", t->requests }, { "reads_done", t->reads_done },
		{ "reads_failed", t->reads_failed }, { "uploads_done", t->uploads_done },
		{ "uploads_failed", t->uploads_failed }, { "bytes_sent", t->bytes_sent },
		{ "bytes_received", t->bytes_received }, { "not_found", t->not_found },
		{ "refused", t->refused }, { "errors_sent", t->errors_sent },
		{ "errors_held", t->errors_held }, { "strangers", t->strangers },
		{ "bad_sources", t->bad_sources }, { "malformed", t->malformed },
		{ "strays", t->strays }, { "repeated", t->repeated },
		{ "unproven_brief", t->unproven_brief },
		{ "unproven_held", t->unproven_held }, { "table_full", t->table_full },
		{ "client_full", t->client_full }, { "evicted", t->evicted },
		{ "too_late", t->too_late },
		{ "disk_waits", t->waits }, { "resent", t->resent },
		{ "rollbacks", t->rollbacks }, { "probes", t->probes },
		{ "timeouts", t->timeouts }, { "windows_segmented", st->io.segmented },
		{ "segmenting_refused", st->io.gso_refused }, { "send_refused", st->io.refused },
		{ "sessions_max", st->set->sessions_max },
		{ "clients_known", tftp_hosts_count(st->hosts) } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_u64(out, rows[i].key, rows[i].value);
}

static uint64_t
size_of(const struct tftp_session *s)
{
	if (s->upload)
		return s->terms.tsize_known ? s->terms.tsize : 0;
	return s->phase == TFTP_ACTIVE ? s->reader.found.size : 0;
}

static const char *
state_of(const struct tftp_session *s)
{
	switch (s->phase) {
	case TFTP_OPENING:
		return "opening";
	case TFTP_ACTIVE:
		break;
	case TFTP_ENDING:
	case TFTP_DEAD:
		return "ending";
	}
	if (!tftp_session_proven(s))
		return "unproven";
	if (s->upload)
		return s->receiver.state == TFTP_RECEIVER_DALLY ? "stored" : "receiving";
	return s->sender.high > s->sender.last && s->sender.tries != 0 ? "waits for last ACK"
								       : "sending";
}

/* Two digits behind the point are plenty for a reader. */
static void
report_number(struct report *o, const char *key, double v)
{
	report_real(o, key, (double)(int64_t)(v * 100 + 0.5) / 100);
}

static void
report_session(const struct tftp_session *s, struct report *o, mono_us now)
{
	const struct tftp_counts *c = s->upload ? &s->receiver.counts : &s->sender.counts;
	const struct rto *rto = s->upload ? &s->receiver.rto : &s->sender.rto;
	uint64_t size = size_of(s);
	double speed = tftp_speed(s, now);

	report_u64(o, "id", s->id);
	report_addr(o, "client", &s->who.peer);
	report_str(o, "direction", s->upload ? "upload" : "read");
	report_span(o, "file", span_of(s->asked, s->asked_len));
	report_str(o, "state", state_of(s));
	if (size != 0)
		report_number(o, "percent", 100.0 * (double)s->bytes / (double)size);
	report_number(o, "MBps", speed / 1e6);
	if (size > s->bytes && speed > 0)
		report_number(o, "eta_s", (double)(size - s->bytes) / speed);
	report_number(o, "seconds", (double)(now - s->started) / 1e6);
	report_u64(o, "bytes", s->bytes);
	if (size != 0)
		report_u64(o, "size", size);
	report_u64(o, "blksize", s->terms.blksize);
	report_u64(o, "windowsize", s->terms.windowsize);
	report_i64(o, "srtt_us", rto->srtt);
	if (!s->upload)
		report_i64(o, "pace_us", s->sender.pace.gap);
	report_u64(o, "resent", c->resent);
	report_u64(o, "timeouts", c->timeouts);
}

static void
list_sessions(struct tftp_state *st, struct ctl_request *rq)
{
	struct report *list = report_list(rq->out, "sessions");
	mono_us now = loop_clock(st->sv->loop);
	struct tftp_session *s;

	TAILQ_FOREACH(s, &st->all, link)
		if (s->listed)
			report_session(s, report_object(list, NULL), now);
	ctl_done(rq);
}

/* --- map -------------------------------------------------------------------------------------- */

/* A look-up as a client's request would make it, with every step written down. */
struct trial {
	struct offload_job job;
	struct ctl_request *rq;
	struct tftp_settings *set;
	struct tftp_client who;
	struct tftp_name name;
	enum tftp_find find;
	struct tftp_found found;
	size_t steps;
	struct {
		char path[TFTP_NAME_MAX + 64];
		char root[128];
		const char *result;
	} step[TRACE_STEPS];
};

static void
note_place(void *ctx, const char *root, const char *path, const char *result)
{
	struct trial *t = ctx;

	if (t->steps == TRACE_STEPS)
		return;
	(void)snprintf(t->step[t->steps].path, sizeof(t->step[0].path), "%s", path);
	(void)snprintf(t->step[t->steps].root, sizeof(t->step[0].root), "%s", root);
	t->step[t->steps++].result = result;
}

static void
trial_work(struct offload_job *j)
{
	struct trial *t = (struct trial *)(void *)((uint8_t *)j - offsetof(struct trial, job));

	t->find =
	    tftp_store_find(t->set->store, &t->name, &t->who, false, &t->found, note_place, t);
}

static void
trial_done(struct offload_job *j)
{
	struct trial *t = (struct trial *)(void *)((uint8_t *)j - offsetof(struct trial, job));
	struct report *list = report_list(t->rq->out, "looked");

	for (size_t i = 0; i < t->steps; i++) {
		struct report *o = report_object(list, NULL);

		report_str(o, "root", t->step[i].root);
		report_span(o, "path", span_str(t->step[i].path));
		report_str(o, "result", t->step[i].result);
	}
	report_str(t->rq->out, "result", t->find == TFTP_FIND_OK ? "found"
	    : t->find == TFTP_FIND_NONE ? "not found" : t->find == TFTP_FIND_DENIED ? "refused"
	    : "failed");
	if (t->find == TFTP_FIND_OK) {
		report_str(t->rq->out, "root", t->set->store->roots[t->found.root].path);
		report_span(t->rq->out, "file", span_str(t->found.path));
		report_u64(t->rq->out, "size", t->found.size);
	}
	ctl_done(t->rq);
	tftp_found_drop(&t->found);
	tftp_settings_unref(t->set);
	free(t);
}

static void
note_rule(void *ctx, size_t rule, const char *before, const char *after)
{
	struct report *o = report_object(ctx, NULL);

	report_u64(o, "rule", rule + 1);
	report_span(o, "from", span_str(before));
	if (after != NULL)
		report_span(o, "to", span_str(after));
	else
		report_str(o, "to", "(refused)");
}

static enum err
who_asks(struct tftp_state *st, const struct ctl_request *rq, struct tftp_client *who)
{
	const char *text = rq->argc > 2 ? rq->argv[2] : "127.0.0.1";

	*who = (struct tftp_client){ 0 };
	who->mac_known = mac_parse(who->mac, text);
	if (who->mac_known)
		return addr_parse(&who->peer, "0.0.0.0", 0);

	enum err e = addr_parse(&who->peer, text, 0);

	if (e == OK)
		who->mac_known = netif_neighbour(st->sv->netif, &who->peer, who->mac) == OK;
	return e;
}

static void
try_map(struct tftp_state *st, struct ctl_request *rq)
{
	bool usable = rq->argc == 2 || rq->argc == 3;
	struct trial *t = usable ? calloc(1, sizeof(*t)) : NULL;
	const char *root = st->set->store->roots[st->set->store->root_count - 1].path;
	enum err e;

	if (t == NULL) {
		ctl_fail(rq, "usage: tftp map NAME [ADDRESS or MAC]");
		return;
	}
	if (who_asks(st, rq, &t->who) != OK) {
		ctl_fail(rq, "\"%s\" is no address and no MAC address", rq->argv[2]);
		free(t);
		return;
	}
	e = tftp_name_clean(&t->name, span_str(rq->argv[1]), root);
	if (e == OK) {
		report_span(rq->out, "name", span_str(t->name.text));
		e = tftp_map_apply(st->set->map, &t->who, &t->name, note_rule,
		    report_list(rq->out, "rules"));
	}
	if (e != OK) {
		report_str(rq->out, "result", e == ERR_DENIED ? "refused" : "no valid name");
		ctl_done(rq);
		free(t);
		return;
	}
	t->rq = rq;
	t->found.fd = -1;
	t->set = tftp_settings_ref(st->set);
	t->job = (struct offload_job){ .work = trial_work, .done = trial_done };
	if (offload_submit(st->sv->offload, &t->job) != OK) {
		ctl_fail(rq, "too busy, try again");
		tftp_settings_unref(t->set);
		free(t);
	}
}

void
tftp_commands_run(struct tftp_state *st, struct ctl_request *rq)
{
	if (rq->argc >= 1 && strcmp(rq->argv[0], "sessions") == 0)
		list_sessions(st, rq);
	else if (rq->argc >= 1 && strcmp(rq->argv[0], "map") == 0)
		try_map(st, rq);
	else
		ctl_fail(rq, "usage: tftp sessions | tftp map NAME [ADDRESS or MAC]");
}
