/* SPDX-License-Identifier: MIT */
/*
 * The log writer. A line is composed on the stack and leaves with one write(2); nothing is
 * allocated per line and nothing waits: where stderr cannot take the line at once it is dropped and
 * counted, and the count is told in a line of its own as soon as there is room again.
 *
 * A line is at most LINE_MAX_BYTES, which is PIPE_BUF: a pipe that polls writable takes that much
 * without blocking, and lines of several writers do not mix. Fields that do not fit are left out
 * and the line says so.
 */
#include "core/log.h"

#include "util/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES PIPE_BUF
#define TAIL_BYTES     32	/* kept free for the mark of a cut line and its end */
#define VALUE_MAX      1100	/* a DNS name of 255 bytes, each written as \xNN, and quotes */

#define LOG_FACILITY (3 << 3)	/* daemon, RFC 3164 §4.1.1 */

struct log {
	enum log_level level;
	enum log_format format;
	int fd;
	bool journal;		/* wants <priority> in front of each line */
	const char *ident;	/* of syslog; NULL: stderr */
	const char *syslog;	/* where that listens */
	uint64_t dropped;	/* all since the start */
	uint64_t untold;	/* dropped since the last line that told about it */
};

/* A line in the making. Where something does not fit, `cut` is set and nothing is written. */
struct line {
	char *at;
	char *end;
	bool cut;
};

static const char *const level_names[] = { "err", "warning", "notice", "info", "debug" };
static const int level_priority[] = { 3, 4, 5, 6, 7 };	/* syslog(3) */

/* stderr leads to the journal: systemd.exec(5), JOURNAL_STREAM. */
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char text[64];

	if (stream == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, text) == 0;
}

enum err
log_new(struct log **out, enum log_level level, enum log_format format)
{
	struct log *lg = calloc(1, sizeof(*lg));

	if (lg == NULL)
		return ERR_NOMEM;
	lg->fd = STDERR_FILENO;
	lg->journal = is_journal(lg->fd);
	log_set(lg, level, format);
	*out = lg;
	return OK;
}

void
log_free(struct log *lg)
{
	if (lg != NULL && lg->ident != NULL)
		close(lg->fd);
	free(lg);
}

void
log_set(struct log *lg, enum log_level level, enum log_format format)
{
	lg->level = level;
	lg->format = format;
}

bool
log_enabled(const struct log *lg, enum log_level level)
{
	return lg != NULL && level <= lg->level;
}

uint64_t
log_dropped(const struct log *lg)
{
	return lg->dropped;
}

bool
log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* --- composing a line ------------------------------------------------------------------------- */

static void
put(struct line *ln, const char *text, size_t len)
{
	if (ln->cut || len > (size_t)(ln->end - ln->at)) {
		ln->cut = true;
		return;
	}
	memcpy(ln->at, text, len);
	ln->at += len;
}

static void
put_str(struct line *ln, const char *text)
{
	put(ln, text, strlen(text));
}

static void __attribute__((format(printf, 2, 3)))
put_fmt(struct line *ln, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);

	int n = vsnprintf(text, sizeof(text), fmt, ap);

	va_end(ap);
	if (n > 0)
		put(ln, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* Our own words: kept as they are, apart from bytes that could break the line or the terminal. */
static void
put_words(struct line *ln, const char *text, bool json)
{
	struct span rest = span_str(text);

	while (rest.len != 0) {
		size_t shown = utf8_printable(rest);
		bool backslash = json && (shown == 0 || rest.at[0] == '"' || rest.at[0] == '\\');
		char out[1 + UTF8_ESCAPED_MAX];
		size_t n = 0;

		if (backslash)
			out[n++] = '\\';
		if (shown != 0) {
			memcpy(out + n, rest.at, shown);
			n += shown;
			rest = span_of(rest.at + shown, rest.len - shown);
		} else {
			n += utf8_escape_next(&rest, out + n);
		}
		put(ln, out, n);
	}
}

static void
put_json_str(struct line *ln, const char *text)
{
	put(ln, "\"", 1);
	put_words(ln, text, true);
	put(ln, "\"", 1);
}

/* The text between the quotes of the text form, as a JSON string. */
static void
put_json_span(struct line *ln, struct span bytes)
{
	char quoted[VALUE_MAX];
	size_t len = strlen(log_quote(bytes, quoted, sizeof(quoted)));

	quoted[len - 1] = '\0';
	put_json_str(ln, quoted + 1);
}

static bool
is_plain(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("\"\\=", *text) != NULL)
			return false;
	return true;
}

static void
put_text_span(struct line *ln, struct span bytes)
{
	char quoted[VALUE_MAX];

	put_str(ln, log_quote(bytes, quoted, sizeof(quoted)));
}

static void
put_string(struct line *ln, const char *text, bool json)
{
	if (text == NULL)
		text = "";
	if (json)
		put_json_str(ln, text);
	else if (is_plain(text))
		put_str(ln, text);
	else
		put_text_span(ln, span_str(text));
}

static void
put_value(struct line *ln, const struct log_field *f, bool json)
{
	char addr[ADDR_TEXT_MAX];

	switch (f->type) {
	case LOG_TYPE_STR:
		put_string(ln, f->str, json);
		break;
	case LOG_TYPE_SPAN:
		if (json)
			put_json_span(ln, f->span);
		else
			put_text_span(ln, f->span);
		break;
	case LOG_TYPE_I64:
		put_fmt(ln, "%" PRId64, f->i64);
		break;
	case LOG_TYPE_U64:
		put_fmt(ln, "%" PRIu64, f->u64);
		break;
	case LOG_TYPE_HEX:
		put_fmt(ln, json ? "\"%" PRIx64 "\"" : "%" PRIx64, f->u64);
		break;
	case LOG_TYPE_ADDR:
		put_string(ln, f->addr != NULL ? addr_format(f->addr, addr) : "-", json);
		break;
	case LOG_TYPE_BOOL:
		put_str(ln, f->flag ? "true" : "false");
		break;
	case LOG_END:
		break;
	}
}

static bool
is_peer(const struct log_field *f)
{
	return f->type == LOG_TYPE_ADDR && strcmp(f->key, "peer") == 0;
}

/* All fields that fit; one that does not is left out whole, so that JSON stays JSON. */
static bool
put_fields(struct line *ln, const struct log_field *fields, bool json)
{
	bool all = true;

	for (const struct log_field *f = fields; f->type != LOG_END; f++) {
		char *start = ln->at;

		if (!json && is_peer(f))
			continue;
		put_fmt(ln, json ? ",\"%s\":" : " %s=", f->key);
		put_value(ln, f, json);
		if (ln->cut) {
			ln->cut = false;
			ln->at = start;
			all = false;
		}
	}
	return all;
}

static void
compose_text(struct line *ln, const char *service, const char *event,
    const struct log_field *fields)
{
	char addr[ADDR_TEXT_MAX];

	put_fmt(ln, "%s: ", service);
	for (const struct log_field *f = fields; f->type != LOG_END; f++)
		if (is_peer(f) && f->addr != NULL)
			put_fmt(ln, "%s: ", addr_format(f->addr, addr));
	put_words(ln, event, false);

	bool all = put_fields(ln, fields, false) && !ln->cut;

	ln->cut = false;
	ln->end += TAIL_BYTES;
	put_str(ln, all ? "\n" : " ...\n");
}

static void
compose_json(struct line *ln, enum log_level level, const char *service, const char *key,
    const char *event, const struct log_field *fields)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	put_fmt(ln, "{\"time\":%" PRId64 ",\"level\":\"%s\",\"service\":\"%s\",\"%s\":\"",
	    (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, level_names[level], service, key);
	put_words(ln, event, true);

	bool cut = ln->cut;

	/* The tail has room for what must not be missing; a cut text is closed like any other. */
	ln->cut = false;
	ln->end += 1;
	put_str(ln, "\"");

	bool all = put_fields(ln, fields, true) && !cut;

	ln->end += TAIL_BYTES - 1;
	put_str(ln, all ? "}\n" : ",\"truncated\":true}\n");
}

/* --- writing ---------------------------------------------------------------------------------- */

/*
 * One write that does not wait: a pipe or terminal that polls writable takes a line whole. One
 * whose reader is gone is left alone, so that no SIGPIPE comes of it.
 */
static bool
write_line(const struct log *lg, const char *text, size_t len)
{
	struct pollfd p = { .fd = lg->fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT && write(lg->fd, text, len) > 0;
}

/* A socket that leads to the logger at path, or -1 and errno. */
static int
connect_syslog(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

enum err
log_to_syslog(struct log *lg, const char *path, const char *ident)
{
	int fd = connect_syslog(path);

	if (fd < 0)
		return ERR_SYS;
	lg->fd = fd;
	lg->ident = ident;
	lg->syslog = path;
	return OK;
}

/* A logger that was started anew has made its socket anew: the one we hold leads nowhere. */
static bool
write_again(struct log *lg, const char *text, size_t len)
{
	int fd;

	if (lg->ident == NULL ||
	    (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET))
		return false;
	fd = connect_syslog(lg->syslog);
	if (fd < 0)
		return false;
	close(lg->fd);
	lg->fd = fd;
	return write_line(lg, text, len);
}

static bool
emit(struct log *lg, enum log_level level, const char *service, const char *key,
    const char *event, const struct log_field *fields)
{
	char text[LINE_MAX_BYTES];
	struct line ln = { .at = text, .end = text + sizeof(text) - TAIL_BYTES };

	if (lg->ident != NULL)
		put_fmt(&ln, "<%d>%s[%d]: ", LOG_FACILITY | level_priority[level], lg->ident,
		    getpid());
	else if (lg->journal)
		put_fmt(&ln, "<%d>", level_priority[level]);
	if (lg->format == LOG_FORMAT_JSON)
		compose_json(&ln, level, service, key, event, fields);
	else
		compose_text(&ln, service, event, fields);

	size_t len = (size_t)(ln.at - text);

	errno = 0;
	return write_line(lg, text, len) || write_again(lg, text, len);
}

static void
emit_counted(struct log *lg, enum log_level level, const char *service, const char *key,
    const char *event, const struct log_field *fields)
{
	int saved = errno;

	if (lg->untold != 0) {
		const struct log_field lost[] = { LOG_U64("lines", lg->untold),
			{ .type = LOG_END } };

		if (emit(lg, LOG_LEVEL_WARNING, "log", "event", "dropped", lost))
			lg->untold = 0;
	}
	if (!emit(lg, level, service, key, event, fields)) {
		lg->dropped++;
		lg->untold++;
	}
	errno = saved;
}

void
log_write(struct log *lg, enum log_level level, const char *service, const char *event,
    const struct log_field *fields)
{
	emit_counted(lg, level, service, "event", event, fields);
}

void
log_note(struct log *lg, enum log_level level, const char *service, const char *fmt, ...)
{
	static const struct log_field none = { .type = LOG_END };
	char text[LINE_MAX_BYTES - TAIL_BYTES];
	va_list ap;

	if (!log_enabled(lg, level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	emit_counted(lg, level, service, "message", text, &none);
}

/* --- helpers for callers ---------------------------------------------------------------------- */

bool
log_gate_pass(struct log_gate *g, mono_us now, uint64_t *suppressed)
{
	usec every = g->every != 0 ? g->every : seconds(1);
	unsigned burst = g->burst != 0 ? g->burst : 10;
	int64_t earned = g->used != 0 ? (now - g->since) / every : 0;

	*suppressed = 0;
	if (earned >= (int64_t)g->used)
		g->used = 0;
	else
		g->used -= (unsigned)earned;
	g->since = g->used == 0 ? now : g->since + earned * every;
	if (g->used >= burst) {
		g->suppressed++;
		return false;
	}
	g->used++;
	*suppressed = g->suppressed;
	g->suppressed = 0;
	return true;
}

const char *
log_quote(struct span bytes, char *buf, size_t cap)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t room = cap - sizeof(ellipsis) - 1;	/* ellipsis, closing quote and zero */
	size_t at = 0;
	size_t safe = 1;	/* where the ellipsis goes, should it be needed */
	char out[UTF8_ESCAPED_MAX + 1];

	buf[at++] = '"';
	while (bytes.len != 0) {
		size_t n = 0;

		if (bytes.at[0] == '"')
			out[n++] = '\\';
		n += utf8_escape_next(&bytes, out + n);
		if (at + n > cap - 2) {
			memcpy(buf + safe, ellipsis, sizeof(ellipsis) - 1);
			at = safe + sizeof(ellipsis) - 1;
			break;
		}
		memcpy(buf + at, out, n);
		at += n;
		if (at <= room)
			safe = at;
	}
	buf[at++] = '"';
	buf[at] = '\0';
	return buf;
}
