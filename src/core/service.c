/* SPDX-License-Identifier: MIT */
/*
 * The services of one loop: built in or loaded, started from their section of the settings, fed
 * with datagrams and wake-ups, stopped in reverse order. Each one's sockets and timer are kept
 * here, so that a service that ends leaves nothing behind.
 */
#include "core/service.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/loop.h"

#define SERVICES_MAX	32
#define LISTEN_MAX	64	/* sockets of one service */
#define COMPLAINT_MAX	1024	/* bytes of one line */

struct service_slot {
	struct service sv;
	struct services *all;
	void *object;		/* of dlopen(); NULL for a built-in */
	bool running;
	const struct conf *root;	/* of the settings it runs with */
	struct timer wake;
	size_t sockets_used;
	struct udp_socket *sockets[LISTEN_MAX];
};

struct services {
	struct log *log;	/* NULL before the start */
	const char *fallback;
	char complaint[COMPLAINT_MAX];	/* the first of the last services_apply() */
	size_t count;
	uint64_t capabilities;	/* to be kept */
	struct service_slot *slots[SERVICES_MAX];	/* in the order of start */
};

enum err
services_new(struct services **out)
{
	struct services *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	*out = s;
	return OK;
}

static void
slot_stop(struct service_slot *slot)
{
	struct service *sv = &slot->sv;

	if (!slot->running)
		return;
	slot->running = false;
	if (sv->ops->stop != NULL)
		sv->ops->stop(sv);
	loop_timer_cancel(sv->loop, &slot->wake);
	for (size_t i = 0; i < slot->sockets_used; i++)
		udp_close(slot->sockets[i]);
	slot->sockets_used = 0;
}

void
services_stop(struct services *s)
{
	for (size_t i = s != NULL ? s->count : 0; i-- > 0;)
		slot_stop(s->slots[i]);
}

void
services_free(struct services *s)
{
	if (s == NULL)
		return;
	services_stop(s);
	for (size_t i = s->count; i-- > 0;) {
		if (s->slots[i]->object != NULL)
			dlclose(s->slots[i]->object);
		free(s->slots[i]);
	}
	free(s);
}

static struct service_slot *
find(const struct services *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->slots[i]->sv.ops->name, name) == 0)
			return s->slots[i];
	return NULL;
}

static void
wake(struct timer *t, mono_us now)
{
	struct service_slot *slot =
	    (struct service_slot *)((uint8_t *)t - offsetof(struct service_slot, wake));
	mono_us next = slot->sv.ops->wake(&slot->sv, now);

	/* wake() may have used service_wake_at() as well; the earlier wish counts. */
	if (timer_running(t))
		next = mono_earlier(next, t->at);
	loop_timer(slot->sv.loop, t, next);
}

static enum err
add(struct services *s, const struct service_ops *ops, void *object)
{
	if (ops->abi != HEARTH_SERVICE_ABI)
		return ERR_UNSUPPORTED;
	if (ops->name == NULL || ops->keys == NULL || ops->start == NULL)
		return ERR_FORMAT;
	if (find(s, ops->name) != NULL)
		return ERR_EXISTS;
	if (s->count == SERVICES_MAX)
		return ERR_FULL;

	struct service_slot *slot = calloc(1, sizeof(*slot));

	if (slot == NULL)
		return ERR_NOMEM;
	slot->all = s;
	slot->object = object;
	slot->wake.fire = wake;
	slot->sv = (struct service){ .ops = ops, .slot = slot };
	s->slots[s->count++] = slot;
	return OK;
}

enum err
services_add(struct services *s, const struct service_ops *ops)
{
	return add(s, ops, NULL);
}

enum err
services_load(struct services *s, const char *path, char *err, size_t errlen)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (object == NULL) {
		const char *why = dlerror();

		snprintf(err, errlen, "cannot load: %s", why != NULL ? why : "unknown reason");
		return ERR_NOTFOUND;
	}

	const struct service_ops *ops = dlsym(object, "hearth_service");
	enum err e = ERR_FORMAT;

	if (ops == NULL)
		snprintf(err, errlen, "%s: not a hearth service (no symbol hearth_service)", path);
	else if (ops->abi != HEARTH_SERVICE_ABI)
		snprintf(err, errlen,
		    "%s: built for service ABI %u, this hearthd has %u: rebuild it",
		    path, ops->abi, HEARTH_SERVICE_ABI);
	else if ((e = add(s, ops, object)) == ERR_EXISTS)
		snprintf(err, errlen, "%s: there is a service \"%s\" already", path, ops->name);
	else if (e != OK)
		snprintf(err, errlen, "%s: %s", path, err_text(e));
	if (ops != NULL && ops->abi != HEARTH_SERVICE_ABI)
		e = ERR_UNSUPPORTED;
	if (e != OK)
		dlclose(object);
	return e;
}

size_t
services_keys(const struct services *s, struct conf_key *table, size_t cap)
{
	assert(s->count <= cap);
	for (size_t i = 0; i < s->count; i++)
		table[i] = (struct conf_key){
			.name = s->slots[i]->sv.ops->name,
			.type = CONF_SECTION,
			.keys = s->slots[i]->sv.ops->keys,
			.help = s->slots[i]->sv.ops->help,
		};
	return s->count;
}

void
services_fallback(struct services *s, const char *name)
{
	s->fallback = name;
}

/* The section that a service runs with; NULL where it does not run. */
static const struct conf *
section_of(const struct conf *root, const struct service_slot *slot)
{
	const struct services *s = slot->all;
	const struct conf *cf = conf_section(root, slot->sv.ops->name, 0);

	if (cf != NULL || s->fallback == NULL || strcmp(s->fallback, slot->sv.ops->name) != 0)
		return cf;
	for (size_t i = 0; i < s->count; i++)
		if (conf_section(root, s->slots[i]->sv.ops->name, 0) != NULL)
			return NULL;
	return conf_section_or_default(root, s->fallback);
}

static enum err
slot_start(struct service_slot *slot, const struct services_env *env, const struct conf *root,
    const struct conf *cf)
{
	struct service *sv = &slot->sv;
	enum err e;

	sv->loop = env->loop;
	sv->log = env->log;
	sv->netif = env->netif;
	sv->offload = env->offload;
	sv->rand = env->rand;
	sv->state_dir = env->state_dir;
	slot->running = true;
	slot->root = root;
	e = sv->ops->start(sv, cf);
	if (e == OK && sv->ops->apply != NULL)
		e = sv->ops->apply(sv, cf);
	if (e != OK)
		slot_stop(slot);
	return e;
}

enum err
services_start(struct services *s, const struct services_env *env, const struct conf *root)
{
	s->log = env->log;
	for (size_t i = 0; i < s->count; i++) {
		const struct conf *cf = section_of(root, s->slots[i]);

		if (cf == NULL)
			continue;

		enum err e = slot_start(s->slots[i], env, root, cf);

		if (e != OK) {
			/*
			 * What is wrong with a setting or a file is said already, where it stands.
			 */
			log_note(s->log, LOG_LEVEL_ERR, s->slots[i]->sv.ops->name, "cannot start%s",
			    e == ERR_NOMEM ? ": out of memory" : "");
			return e;
		}
	}
	return OK;
}

/* apply() with the section of root; nothing to do where the service does not run or has none. */
static enum err
slot_apply(struct service_slot *slot, const struct conf *root)
{
	struct service *sv = &slot->sv;
	const struct conf *cf = section_of(root, slot);
	enum err e = OK;

	if (!slot->running || cf == NULL)
		return OK;
	if (sv->ops->apply != NULL)
		e = sv->ops->apply(sv, cf);
	if (e == OK)
		slot->root = root;
	return e;
}

enum err
services_apply(struct services *s, const struct conf *root, const struct conf *old)
{
	s->complaint[0] = '\0';
	for (size_t i = 0; i < s->count; i++) {
		struct service_slot *slot = s->slots[i];
		enum err e = slot_apply(slot, root);

		if (e == OK)
			continue;
		while (i-- > 0)
			if (slot_apply(s->slots[i], old) != OK)
				log_note(s->log, LOG_LEVEL_ERR, s->slots[i]->sv.ops->name,
				    "cannot go back to the previous settings");
		return e;
	}
	return OK;
}

void
services_waiting(const struct services *s, const struct conf *old, const struct conf *now,
    conf_tell *tell, void *ctx)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct service_slot *slot = s->slots[i];
		const struct conf *before = section_of(old, slot), *after = section_of(now, slot);

		conf_waiting_section(slot->sv.ops->name, before, after, tell, ctx);
	}
}

void
services_reopen(struct services *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct service *sv = &s->slots[i]->sv;

		if (s->slots[i]->running && sv->ops->reopen != NULL)
			sv->ops->reopen(sv);
	}
}

const char *
services_complaint(const struct services *s)
{
	return s->complaint;
}

bool
services_use(const struct services *s, const struct conf *root)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->slots[i]->running && s->slots[i]->root == root)
			return true;
	return false;
}

bool
services_busy(const struct services *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct service *sv = &s->slots[i]->sv;

		if (s->slots[i]->running && sv->ops->busy != NULL && sv->ops->busy(sv))
			return true;
	}
	return false;
}

/* What every datagram socket has to say: one object per listening address. */
static void
report_sockets(const struct service_slot *slot, struct report *out)
{
	struct report *list = report_list(out, "sockets");

	for (size_t i = 0; i < slot->sockets_used; i++) {
		const struct udp_stats *st = udp_stats(slot->sockets[i]);
		struct report *o = report_object(list, NULL);

		report_addr(o, "local", udp_local(slot->sockets[i]));
		report_u64(o, "received", st->received);
		report_u64(o, "sent", st->sent);
		report_u64(o, "truncated", st->truncated);
		report_u64(o, "send_dropped", st->send_dropped);
		report_u64(o, "send_refused", st->send_refused);
		report_u64(o, "receive_errors", st->receive_errors);
		report_u64(o, "kernel_drops", st->kernel_drops);
	}
}

void
services_report(const struct services *s, struct report *out)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct service *sv = &s->slots[i]->sv;

		if (!s->slots[i]->running)
			continue;

		struct report *o = report_object(out, sv->ops->name);

		if (sv->ops->report != NULL)
			sv->ops->report(sv, o);
		if (s->slots[i]->sockets_used != 0)
			report_sockets(s->slots[i], o);
	}
}

bool
services_command(struct services *s, const char *noun, struct ctl_request *rq)
{
	struct service_slot *slot = find(s, noun);

	if (slot == NULL)
		return false;
	if (!slot->running)
		ctl_fail(rq, "%s is not switched on in the settings", noun);
	else if (slot->sv.ops->command == NULL)
		ctl_fail(rq, "%s takes no commands", noun);
	else
		slot->sv.ops->command(&slot->sv, rq);
	return true;
}

/* --- what a service may ask for --------------------------------------------------------------- */

static void
receive(void *ctx, const struct dgram *dg)
{
	struct service_slot *slot = ctx;

	slot->sv.ops->receive(&slot->sv, dg);
}

void
service_complain_listen(struct service *sv, const struct addr *local, const char *transport,
    enum err e)
{
	int saved = errno;
	char text[ADDR_TEXT_MAX];
	const char *hint = "";

	if (e == ERR_SYS && saved == EADDRINUSE)
		hint = "; \"ss -tulnp\" shows by whom";
	else if (e == ERR_SYS && saved == EACCES && addr_port(local) < 1024)
		hint = "; a port below 1024 needs root or CAP_NET_BIND_SERVICE";
	else if (e == ERR_SYS && saved == EADDRNOTAVAIL)
		hint = "; this machine has no such address (now)";
	log_note(sv->log, LOG_LEVEL_ERR, sv->ops->name, "cannot listen on %s (%s): %s%s",
	    addr_format(local, text), transport, e == ERR_SYS ? strerror(saved) : err_text(e),
	    hint);
	errno = saved;
}

bool
service_can_listen(struct service *sv, const struct conf *cf, const char *key,
    const struct addr *local)
{
	int fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[ADDR_TEXT_MAX];

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno != EAFNOSUPPORT || conf_given(cf, key))
		return true;
	log_note(sv->log, LOG_LEVEL_NOTICE, sv->ops->name,
	    "not listening on %s: this machine has no %s",
	    addr_format(local, text), local->sa.sa_family == AF_INET6 ? "IPv6" : "IPv4");
	return false;
}

enum err
service_listen(struct service *sv, const struct addr *local, const struct udp_opts *opts,
    struct udp_socket **out)
{
	struct service_slot *slot = sv->slot;
	struct udp_opts mine = opts != NULL ? *opts : (struct udp_opts){ 0 };
	char text[ADDR_TEXT_MAX];
	struct udp_socket *socket;

	assert(sv->ops->receive != NULL);
	if (slot->sockets_used == LISTEN_MAX) {
		log_note(sv->log, LOG_LEVEL_ERR, sv->ops->name, "more than %d listening addresses",
		    LISTEN_MAX);
		return ERR_FULL;
	}
	mine.receive = receive;
	mine.ctx = slot;

	enum err e = udp_open(&socket, sv->loop, local, &mine);

	if (e != OK) {
		service_complain_listen(sv, local, "UDP", e);
		return e;
	}
	log_note(sv->log, LOG_LEVEL_INFO, sv->ops->name, "listening on %s",
	    addr_format(udp_local(socket), text));
	slot->sockets[slot->sockets_used++] = socket;
	if (out != NULL)
		*out = socket;
	return OK;
}

void
service_wake_at(struct service *sv, mono_us at)
{
	assert(sv->ops->wake != NULL);
	loop_timer(sv->loop, &sv->slot->wake, at);
}

void
service_keep_capability(struct service *sv, unsigned capability)
{
	sv->slot->all->capabilities |= UINT64_C(1) << capability;
}

uint64_t
services_capabilities(const struct services *s)
{
	return s->capabilities;
}

void
service_complain(struct service *sv, const struct conf *cf, const char *key, size_t i,
    const char *fmt, ...)
{
	struct services *all = sv->slot->all;
	char where[512], words[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	conf_where(cf, key, i, where, sizeof(where));
	log_note(sv->log, LOG_LEVEL_ERR, sv->ops->name, "%s: %s", where, words);
	if (all->complaint[0] == '\0')
		snprintf(all->complaint, sizeof(all->complaint), "%.400s: %.500s", where, words);
}
