/* SPDX-License-Identifier: MIT */
/*
 * The edge of the announcer: settings, the number of this start on the disk, and the wiring between
 * sockets and engine. What is said and when is decided in beacon_sender.c.
 */
#include "services/announce/announce_service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/rand.h"
#include "core/statefile.h"
#include "services/announce/announce_service_priv.h"
#include "services/announce/armor.h"
#include "services/announce/txt.h"
#include "util/seq.h"

#define PATH_BYTES 512
#define EPOCH_KIND "beaconep"
#define EPOCH_VERSION 1
#define EPOCH_SPREAD 65536	/* so that two copies of a card without a clock start differently */

static const char *
check_topic(const char *value)
{
	return beacon_topic_ok(span_str(value)) ? NULL
	    : "a topic has 1 to 64 printable characters without blank, * and ?";
}

static const char *
check_pair(const char *value)
{
	uint8_t room[TXT_STRING_MAX + 1];
	struct wire_wr wr = wire_wr_of(room, sizeof(room));
	struct txt_pair pair = txt_split(span_str(value));

	return txt_put(&wr, &pair) == OK ? NULL
	    : "\"key=value\" or \"key\" of at most 255 bytes, the key printable ASCII";
}

static const char *
check_publish_files(const struct conf *cf, size_t i)
{
	(void)i;
	return !conf_bool(cf, "publish-files") || conf_count(cf, "files-root") != 0 ? NULL
	    : "needs the folder that they are in: files-root = \"/srv/tftp\"";
}

#define MICROSECONDS INT64_C(1000000)

const struct conf_key announce_publish_keys[] = {
	[ANNOUNCE_PUBLISH_TEXT] = { .name = "text", .type = CONF_STRING, .flags = CONF_LIST,
	    .check = check_pair, .help = "what it says: \"key=value\" pairs" },
	[ANNOUNCE_PUBLISH_LIFETIME] = { .name = "lifetime", .type = CONF_DURATION, .value = "95s",
	    .min = BEACON_LIFETIME_MIN * MICROSECONDS, .max = BEACON_LIFETIME_MAX * MICROSECONDS,
	    .help = "how long it holds after the last time it was heard" },
	{ 0 },
};

static const struct conf_key keys[] = {
	{ .name = "interfaces", .type = CONF_STRING,
	    .flags = CONF_LIST | CONF_LINK | CONF_RESTART, .count_max = BEACON_NET_PATTERNS_MAX,
	    .value = "*", .help = "where to announce, with * and ?; \"*\" leaves out loopback, "
	    "tunnels and the interfaces of containers" },
	{ .name = "broadcast", .type = CONF_STRING,
	    .flags = CONF_LIST | CONF_LINK | CONF_RESTART, .count_max = BEACON_NET_PATTERNS_MAX,
	    .help = "interfaces that get broadcasts as well, where multicast is lost" },
	{ .name = "port", .type = CONF_INT, .flags = CONF_RESTART, .value = "7665", .min = 1,
	    .max = 65535, .help = "UDP port, the same everywhere" },
	{ .name = "ipv4", .type = CONF_BOOL, .flags = CONF_RESTART, .value = "true",
	    .help = "announce over IPv4" },
	{ .name = "ipv6", .type = CONF_BOOL, .flags = CONF_RESTART, .value = "true",
	    .help = "announce over IPv6" },
	{ .name = "rejoin", .type = CONF_DURATION, .flags = CONF_RESTART, .value = "100s",
	    .min = 1000000, .max = INT64_C(3600000000),
	    .help = "how often memberships are renewed, so that switches do not forget them" },
	{ .name = "sender-key", .type = CONF_STRING, .flags = CONF_FILE | CONF_EARLY,
	    .help = "file with our signing key (hearthctl keygen); none: made in state-dir" },
	{ .name = "old-sender-key", .type = CONF_STRING, .flags = CONF_FILE | CONF_EARLY,
	    .help = "the key before it: announces the new one to those who trust the old" },
	{ .name = "group-key", .type = CONF_STRING, .flags = CONF_FILE | CONF_EARLY,
	    .help = "file with the group's keys, the first seals; none: readable by all" },
	{ .name = "leases", .type = CONF_INT, .flags = CONF_RESTART, .value = "64", .min = 0,
	    .max = BEACON_LEASES_MAX,
	    .help = "subscribers that may have unicast copies; only with a group key" },
	{ .name = "publish", .type = CONF_SECTION, .flags = CONF_TITLED,
	    .keys = announce_publish_keys, .check = check_topic,
	    .help = "a state to announce: publish \"door/front\" { text = { \"state=closed\" } }" },
	{ .name = "publish-files", .type = CONF_BOOL, .value = "false",
	    .check_with = check_publish_files,
	    .help = "announce size and BLAKE2b hash of the files below files-root" },
	{ .name = "files-root", .type = CONF_STRING, .flags = CONF_FOLDER,
	    .help = "directory of the files to announce, as a rule that of the TFTP server" },
	{ 0 },
};

struct beacon_when
announce_when(const struct announce *an)
{
	return (struct beacon_when){ .mono = beacon_net_now(an->net),
		.wall_ms = beacon_net_wall_ms() };
}

static mono_us
wake_voices(struct announce *an)
{
	struct beacon_when now = announce_when(an);
	mono_us next = MONO_NEVER;

	/* The old key names the new one before that says a word. */
	if (an->old_voice->sender != NULL)
		next = beacon_sender_wake(an->old_voice->sender, &now);
	if (an->voice->sender != NULL)
		next = mono_earlier(next, beacon_sender_wake(an->voice->sender, &now));
	return beacon_net_timer(an->net, next);
}

void
announce_pump(struct announce *an)
{
	service_wake_at(an->sv, wake_voices(an));
}

/* --- between sockets and engine -------------------------------------------------------------- */

static void
receive_beacon(void *ctx, const struct dgram *dg, bool on_link)
{
	struct announce *an = ctx;
	struct beacon_when now = announce_when(an);
	bool due = false;

	if (an->voice->sender != NULL)
		due = beacon_sender_input(an->voice->sender, &now, dg->data, dg->peer, on_link);
	if (an->old_voice->sender != NULL)
		due = beacon_sender_input(an->old_voice->sender, &now, dg->data, dg->peer,
		    on_link) || due;
	if (due)
		announce_pump(an);
}

static void
links_changed(void *ctx)
{
	struct announce *an = ctx;
	struct beacon_when now = announce_when(an);

	if (an->voice->sender == NULL)
		return;
	beacon_sender_refresh(an->voice->sender, &now);
	announce_pump(an);
}

static const struct beacon_net_ops net_ops = { .receive = receive_beacon,
	.changed = links_changed };

static void
send_multicast(void *ctx, struct span dgram)
{
	beacon_net_multicast(((struct announce_voice *)ctx)->an->net, dgram);
}

static void
send_unicast(void *ctx, const struct addr *to, struct span dgram)
{
	beacon_net_unicast(((struct announce_voice *)ctx)->an->net, to, dgram);
}

/* --- the number of this start ---------------------------------------------------------------- */

/* False where there is no state directory: the clock alone then makes starts differ. */
static bool
epoch_path(const struct announce *an, uint64_t id, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s/announce-epoch-%016" PRIx64, an->sv->state_dir, id);

	return an->sv->state_dir[0] != '\0' && n > 0 && (size_t)n < cap;
}

static enum err
store_epoch(const char *path, uint64_t epoch)
{
	uint8_t bytes[8];
	struct wire_wr wr = wire_wr_of(bytes, sizeof(bytes));

	wire_wr_u64(&wr, epoch);
	return statefile_write(path, EPOCH_KIND, EPOCH_VERSION, wire_wr_span(&wr));
}

static uint64_t
read_epoch(const char *path)
{
	uint8_t bytes[8];
	uint32_t version;
	size_t len;

	if (statefile_read(path, EPOCH_KIND, &version, bytes, sizeof(bytes), &len) != OK ||
	    len != sizeof(bytes))
		return 0;

	struct wire_rd rd = wire_rd_of(span_of(bytes, len));

	return wire_rd_u64(&rd);
}

static uint64_t
epoch_after(const struct announce *an, uint64_t stored)
{
	int64_t wall = announce_when(an).wall_ms;

	return wall != 0 ? seq_epoch(stored, (uint64_t)wall)
			 : seq_epoch(stored + rand_below(an->sv->rand, EPOCH_SPREAD), 0);
}

/* At start and at a change of keys: on the disk before the first word. */
uint64_t
announce_new_epoch(struct announce *an, uint64_t id)
{
	char path[PATH_BYTES];
	bool kept = epoch_path(an, id, path, sizeof(path));
	uint64_t epoch = epoch_after(an, kept ? read_epoch(path) : 0);

	if (kept && store_epoch(path, epoch) != OK)
		log_note(an->sv->log, LOG_LEVEL_WARNING, "announce",
		    "cannot write %s: %s; after a restart with the clock set back subscribers need "
		    "some seconds more", path, strerror(errno));
	return epoch;
}

static void
epoch_work(struct offload_job *j)
{
	struct announce_epoch_job *ej = (struct announce_epoch_job *)j;

	ej->result = ej->path[0] != '\0' ? store_epoch(ej->path, ej->epoch) : OK;
}

static void
epoch_done(struct offload_job *j)
{
	struct announce_epoch_job *ej = (struct announce_epoch_job *)j;
	struct announce *an = ej->an;

	if (an != NULL) {
		struct beacon_when now = announce_when(an);

		an->epoch_job = NULL;
		if (ej->id == an->voice->me.id)
			beacon_sender_restart(an->voice->sender, &now, ej->epoch);
		announce_pump(an);
	}
	free(ej);
}

/* Somebody speaks under our name and number: take another number, once it is on the disk. */
static void
change_epoch(struct announce *an)
{
	struct announce_epoch_job *ej = an->epoch_job == NULL ? calloc(1, sizeof(*ej)) : NULL;
	uint64_t old = beacon_sender_epoch(an->voice->sender);

	if (ej == NULL)
		return;
	ej->job.work = epoch_work;
	ej->job.done = epoch_done;
	ej->an = an;
	ej->id = an->voice->me.id;
	if (!epoch_path(an, an->voice->me.id, ej->path, sizeof(ej->path)))
		ej->path[0] = '\0';
	ej->epoch = epoch_after(an, old + rand_below(an->sv->rand, EPOCH_SPREAD));
	if (offload_submit(an->sv->offload, &ej->job) == OK)
		an->epoch_job = ej;
	else
		free(ej);
}

static void
found_clone(void *ctx, bool same_epoch)
{
	struct announce_voice *v = ctx;
	struct announce *an = v->an;
	uint64_t suppressed;

	an->clone_at = loop_now(an->sv->loop);
	if (log_gate_pass(&an->clone_gate, an->clone_at, &suppressed))
		log_note(an->sv->log, LOG_LEVEL_WARNING, "announce",
		    "identity used by two hosts: another machine signs with our sender key "
		    "(a copied card or disk?); make a new one there with hearthctl keygen");
	if (same_epoch && v == an->voice)
		change_epoch(an);
}

const struct beacon_sender_ops announce_sender_ops = { .multicast = send_multicast,
	.unicast = send_unicast, .clone = found_clone };

/* --- what the settings publish --------------------------------------------------------------- */

static enum err
publish_section(struct announce *an, const struct conf *cf, size_t i)
{
	const struct conf *p = conf_section(cf, "publish", i);
	struct beacon_when now = announce_when(an);
	uint8_t *text = malloc(BEACON_MESSAGE_MAX);
	struct wire_wr wr = wire_wr_of(text, text != NULL ? BEACON_MESSAGE_MAX : 0);
	enum err e = OK;

	for (size_t k = 0; e == OK && k < conf_count(p, "text"); k++) {
		struct txt_pair pair = txt_split(span_str(conf_str_at(p, "text", k)));

		e = txt_put(&wr, &pair);
	}
	if (e == OK)
		e = beacon_sender_publish(an->voice->sender, &now, span_str(conf_title(p)),
		    BEACON_CTYPE_TXT, wire_wr_span(&wr),
		    (uint32_t)(conf_duration(p, "lifetime") / seconds(1)));
	free(text);
	if (e != OK)
		service_complain(an->sv, cf, "publish", i, "\"%s\": %s", conf_title(p),
		    err_text(e));
	return e;
}

static bool
still_published(const struct conf *cf, const char *topic)
{
	for (size_t i = 0; i < conf_count(cf, "publish"); i++)
		if (strcmp(conf_title(conf_section(cf, "publish", i)), topic) == 0)
			return true;
	return false;
}

static enum err
publish_all(struct announce *an, const struct conf *cf)
{
	struct beacon_when now = announce_when(an);
	size_t count = conf_count(cf, "publish");
	char (*topics)[BEACON_TOPIC_MAX + 1] = calloc(count + 1, sizeof(*topics));

	if (topics == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		enum err e = publish_section(an, cf, i);

		if (e != OK) {
			free(topics);
			return e;
		}
		snprintf(topics[i], sizeof(topics[i]), "%s",
		    conf_title(conf_section(cf, "publish", i)));
	}
	for (size_t i = 0; i < an->topic_count; i++)
		if (!still_published(cf, an->topics[i]) && beacon_sender_withdraw(an->voice->sender,
		    &now, span_str(an->topics[i])) != OK)
			continue;	/* withdrawn by hand before */
	free(an->topics);
	an->topics = topics;
	an->topic_count = count;
	return OK;
}

/* --- files ----------------------------------------------------------------------------------- */

static void
file_found(void *ctx, const char *path, uint64_t size, const uint8_t hash[static SEAL_HASH_BYTES])
{
	struct announce *an = ctx;
	struct beacon_when now = announce_when(an);
	char topic[BEACON_TOPIC_MAX + 1];
	uint8_t text[ANNOUNCE_FILE_PATH + 256];
	size_t topic_len = announce_files_topic(topic, path);
	size_t len = announce_files_text(text, sizeof(text), path, size, hash);
	enum err e = beacon_sender_publish(an->voice->sender, &now, span_of(topic, topic_len),
	    BEACON_CTYPE_TXT, span_of(text, len), 0);

	if (e != OK)
		log_note(an->sv->log, LOG_LEVEL_WARNING, "announce", "cannot announce %s: %s",
		    topic, err_text(e));
	announce_pump(an);
}

static void
file_gone(void *ctx, const char *path)
{
	struct announce *an = ctx;
	struct beacon_when now = announce_when(an);
	char topic[BEACON_TOPIC_MAX + 1];
	size_t len = announce_files_topic(topic, path);

	if (beacon_sender_withdraw(an->voice->sender, &now, span_of(topic, len)) == OK)
		announce_pump(an);
}

static void
files_unreadable(void *ctx, int error)
{
	struct announce *an = ctx;

	log_note(an->sv->log, LOG_LEVEL_WARNING, "announce",
	    "cannot read files-root, no files are announced: %s", strerror(error));
}

static const struct announce_files_ops files_ops = { .found = file_found, .gone = file_gone,
	.unreadable = files_unreadable };

/* Withdraw what was announced of the files that were followed until now. */
static void
forget_files(struct announce *an, const struct conf *cf)
{
	struct beacon_when now = announce_when(an);
	struct beacon_published p;

	for (size_t i = an->files != NULL ? beacon_sender_count(an->voice->sender) : 0; i-- > 0;) {
		char topic[BEACON_TOPIC_MAX + 1];

		beacon_sender_get(an->voice->sender, i, &p);
		snprintf(topic, sizeof(topic), "%.*s", (int)p.topic.len, (const char *)p.topic.at);
		if (strncmp(topic, ANNOUNCE_FILES_PREFIX, strlen(ANNOUNCE_FILES_PREFIX)) == 0 &&
		    !still_published(cf, topic) &&
		    beacon_sender_withdraw(an->voice->sender, &now, span_str(topic)) != OK)
			break;
	}
	announce_files_free(an->files);
	an->files = NULL;
	free(an->files_root);
	an->files_root = NULL;
}

static enum err
follow_files(struct announce *an, const struct conf *cf)
{
	const char *root = conf_bool(cf, "publish-files") ? conf_str(cf, "files-root") : "";
	char *copy;

	if (an->files_root != NULL && strcmp(an->files_root, root) == 0)
		return OK;
	forget_files(an, cf);
	if (root[0] == '\0')
		return OK;
	copy = strdup(root);
	if (copy == NULL)
		return ERR_NOMEM;
	an->files_root = copy;
	return announce_files_new(&an->files, &files_ops, an, an->sv->loop, an->sv->offload, root);
}

/* --- life ------------------------------------------------------------------------------------ */

static size_t
read_list(const struct conf *cf, const char *key, const char *out[static BEACON_NET_PATTERNS_MAX])
{
	size_t n = conf_count(cf, key);

	for (size_t i = 0; i < n && i < BEACON_NET_PATTERNS_MAX; i++)
		out[i] = conf_str_at(cf, key, i);
	return n;
}

static enum err
start(struct service *sv, const struct conf *cf)
{
	struct announce *an = calloc(1, sizeof(*an));
	const char *interfaces[BEACON_NET_PATTERNS_MAX], *broadcast[BEACON_NET_PATTERNS_MAX];
	struct beacon_net_opts o = { .ops = &net_ops, .ctx = an, .loop = sv->loop,
		.netif = sv->netif, .log = sv->log, .interfaces = interfaces,
		.interface_count = read_list(cf, "interfaces", interfaces), .broadcast = broadcast,
		.broadcast_count = read_list(cf, "broadcast", broadcast), .fixed_port = true,
		.port = (uint16_t)conf_int(cf, "port"), .ipv4 = conf_bool(cf, "ipv4"),
		.ipv6 = conf_bool(cf, "ipv6"), .rejoin = conf_duration(cf, "rejoin") };

	if (an == NULL)
		return ERR_NOMEM;
	sv->state = an;
	an->sv = sv;
	an->voice = &an->voices[0];
	an->old_voice = &an->voices[1];

	enum err e = beacon_net_open(&an->net, &o);

	if (e != OK)
		log_note(sv->log, LOG_LEVEL_ERR, "announce", "cannot open port %u: %s",
		    (unsigned)o.port, e == ERR_SYS ? strerror(errno) : err_text(e));
	else if (beacon_net_links(an->net) == 0)
		log_note(sv->log, LOG_LEVEL_WARNING, "announce",
		    "no interface here is one of those in the settings; waiting for one");
	return e;
}

static enum err
apply(struct service *sv, const struct conf *cf)
{
	struct announce *an = sv->state;
	enum err e = announce_change_keys(an, cf);

	if (e == OK)
		e = publish_all(an, cf);
	if (e == OK)
		e = follow_files(an, cf);
	if (e == OK)
		announce_pump(an);
	return e;
}

static mono_us
wake(struct service *sv, mono_us now)
{
	(void)now;
	return wake_voices(sv->state);
}

static void
stop(struct service *sv)
{
	struct announce *an = sv->state;

	if (an == NULL)
		return;
	if (an->voice->sender != NULL) {
		struct beacon_when now = announce_when(an);

		beacon_sender_goodbye(an->voice->sender, &now);
	}
	if (an->epoch_job != NULL)
		an->epoch_job->an = NULL;
	announce_files_free(an->files);
	announce_voice_end(an->old_voice);
	announce_voice_end(an->voice);
	beacon_keyring_fini(&an->ring);
	seal_wipe(&an->leases, sizeof(an->leases));
	beacon_net_close(an->net);
	free(an->topics);
	free(an->files_root);
	free(an);
	sv->state = NULL;
}

static void
report(const struct service *sv, struct report *out)
{
	announce_report(sv->state, out);
}

static void
command(struct service *sv, struct ctl_request *rq)
{
	announce_command(sv->state, rq);
}

const struct service_ops announce_service_ops = {
	.abi = HEARTH_SERVICE_ABI,
	.name = "announce",
	.help = "signed and sealed announcements over multicast",
	.keys = keys,
	.start = start,
	.apply = apply,
	.wake = wake,
	.report = report,
	.command = command,
	.stop = stop,
};
