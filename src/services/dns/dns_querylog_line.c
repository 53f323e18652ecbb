/* SPDX-License-Identifier: MIT */
#include "services/dns/dns_querylog_line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "util/utf8.h"

#define TAIL	   64	/* bytes that are kept free for the end of a line */
#define NET_BITS_4 24
#define NET_BITS_6 48

/* A line in the making; what does not fit is left out. */
struct line {
	char *at;
	char *end;
};

static void __attribute__((format(printf, 2, 3)))
put(struct line *ln, const char *fmt, ...)
{
	size_t room = (size_t)(ln->end - ln->at);
	va_list ap;

	va_start(ap, fmt);

	int n = vsnprintf(ln->at, room, fmt, ap);

	va_end(ap);
	if (n > 0 && (size_t)n < room)
		ln->at += n;
	else
		*ln->at = '\0';
}

/* Text between quotes, escaped for JSON; cut where there is no more room. */
static void
put_quoted(struct line *ln, struct span text)
{
	*ln->at++ = '"';
	while (text.len != 0 && ln->end - ln->at > UTF8_ESCAPED_MAX + TAIL) {
		bool plain = utf8_printable(text) != 0;

		/* A backslash that the escape brings along is one more to be shielded. */
		if (!plain || text.at[0] == '"' || text.at[0] == '\\')
			*ln->at++ = '\\';
		if (plain) {
			size_t n = utf8_printable(text);

			memcpy(ln->at, text.at, n);
			ln->at += n;
			text = span_of(text.at + n, text.len - n);
		} else {
			ln->at += utf8_escape_next(&text, ln->at);
		}
	}
	*ln->at++ = '"';
}

const char *
dns_querylog_client(const struct addr *client, enum dns_privacy privacy,
    char buf[static ADDR_TEXT_MAX])
{
	struct prefix net;

	if (privacy == DNS_PRIVACY_FULL || privacy == DNS_PRIVACY_NO_NAMES)
		return addr_format_host(client, buf);
	prefix_of(&net, client, client->sa.sa_family == AF_INET6 ? NET_BITS_6 : NET_BITS_4);
	return prefix_format(&net, buf);
}

static void
compose_json(struct line *ln, const struct dns_querylog_entry *e, const char *client,
    const char *name, bool reasons, int64_t wall_ms)
{
	char buf[DNS_TYPE_TEXT_MAX];

	put(ln, "{\"time\":%" PRId64 ",\"client\":", wall_ms);
	put_quoted(ln, span_str(client));
	put(ln, ",\"proto\":\"%s\"", e->tcp ? "tcp" : "udp");
	if (name != NULL) {
		put(ln, ",\"name\":");
		put_quoted(ln, span_str(name));
	}
	if (e->name.len != 0)
		put(ln, ",\"type\":\"%s\"", dns_type_format(e->type, buf));
	put(ln, ",\"verdict\":\"%s\"", e->verdict);
	if (e->answered)
		put(ln, ",\"rcode\":\"%s\",\"ms\":%.3f", dns_rcode_format(e->rcode, buf),
		    (double)e->took / 1000);
	if (e->server != NULL) {
		put(ln, ",\"upstream\":");
		put_quoted(ln, span_str(e->server));
	}
	if (reasons && e->reason.len != 0) {
		put(ln, ",\"reason\":");
		put_quoted(ln, e->reason);
	}
	put(ln, "}");
}

static void
compose_text(struct line *ln, const struct dns_querylog_entry *e, const char *client,
    const char *name, bool reasons, int64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	char buf[DNS_TYPE_TEXT_MAX];
	struct tm tm;

	gmtime_r(&s, &tm);
	put(ln, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_ms % 1000));
	put(ln, " %s %s %s %s %s", client, e->tcp ? "tcp" : "udp", name != NULL ? name : "-",
	    e->name.len != 0 ? dns_type_format(e->type, buf) : "-", e->verdict);
	if (e->answered)
		put(ln, " %s %.3fms", dns_rcode_format(e->rcode, buf), (double)e->took / 1000);
	if (e->server != NULL)
		put(ln, " %s", e->server);
	if (reasons && e->reason.len != 0) {
		put(ln, " ");
		put_quoted(ln, e->reason);
	}
}

size_t
dns_querylog_compose(const struct dns_querylog_entry *e, enum dns_querylog_format format,
    enum dns_privacy privacy, int64_t wall_ms, char out[static DNS_QUERYLOG_LINE_MAX])
{
	struct line ln = { .at = out, .end = out + DNS_QUERYLOG_LINE_MAX - 1 };
	char client[ADDR_TEXT_MAX], text[DNS_NAME_TEXT_MAX];
	bool hidden = dns_querylog_hides_names(privacy);
	const char *name = e->name.len != 0 && !hidden ? dns_name_format(e->name, text) : NULL;

	_Static_assert(2 * DNS_NAME_TEXT_MAX + 512 < DNS_QUERYLOG_LINE_MAX, "a name fits, quoted");
	dns_querylog_client(e->client, privacy, client);
	switch (format) {
	case DNS_QUERYLOG_JSON:
		compose_json(&ln, e, client, name, !hidden, wall_ms);
		break;
	case DNS_QUERYLOG_TEXT:
		compose_text(&ln, e, client, name, !hidden, wall_ms);
		break;
	}
	assert(ln.at < ln.end);
	*ln.at++ = '\n';
	return (size_t)(ln.at - out);
}
