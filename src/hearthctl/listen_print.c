/* SPDX-License-Identifier: MIT */
/* News as lines for people and as JSON. What strangers chose is never printed raw. */
#include "hearthctl/listen.h"

#include "services/announce/armor.h"
#include "util/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const type_names[] = { "?", "event", "state", "withdraw", "gap", "refused",
	"notice" };

/* --- lines ----------------------------------------------------------------------------------- */

static void
print_escaped(struct span text, FILE *out)
{
	char piece[UTF8_ESCAPED_MAX];

	while (text.len != 0) {
		size_t n = utf8_escape_next(&text, piece);

		fwrite(piece, 1, n, out);
	}
}

static bool
needs_quotes(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] == '"')
			return true;
	return text.len == 0;
}

static void
print_pairs(const struct hearth_news *n, FILE *out)
{
	struct hearth_text t;
	size_t at = 0;

	while (hearth_text_next(n, &at, &t) != 0) {
		struct span value = span_of(t.value, t.value_len);
		const char *quote = needs_quotes(value) ? "\"" : "";

		fputs("  ", out);
		print_escaped(span_of(t.key, t.key_len), out);
		if (!t.has_value)
			continue;
		fprintf(out, "=%s", quote);
		print_escaped(value, out);
		fputs(quote, out);
	}
}

static void
print_time(FILE *out)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[16] = "";

	if (localtime_r(&now, &tm) != NULL)
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fputs(text, out);
}

static void
print_what(const struct hearth_news *n, FILE *out)
{
	switch (n->type) {
	case HEARTH_EVENT:
	case HEARTH_STATE:
		fprintf(out, "  %s", n->topic);
		print_pairs(n, out);
		if (n->content != HEARTH_CONTENT_TEXT)
			fprintf(out, "  (%zu bytes)", n->payload_len);
		break;
	case HEARTH_WITHDRAW:
		fprintf(out, "  %s  (%s)", n->topic, n->reason);
		break;
	case HEARTH_GAP:
		fprintf(out, "  %llu datagrams lost: %llu to %llu",
		    (unsigned long long)(n->last - n->first + 1), (unsigned long long)n->first,
		    (unsigned long long)n->last);
		break;
	case HEARTH_REFUSED:
	case HEARTH_NOTICE:
		fprintf(out, "  %s", n->reason);
		if (n->payload_len != 0)
			fputs(": ", out);
		print_escaped(span_of(n->payload, n->payload_len), out);
		break;
	}
}

void
listen_print_line(const struct hearth_news *n, FILE *out)
{
	print_time(out);
	fprintf(out, "  %-8s", type_names[n->type]);
	print_what(n, out);
	fputs("  [", out);
	if (n->sender[0] != '\0')
		print_escaped(span_str(n->sender), out);
	else
		fprintf(out, "%016llx", (unsigned long long)n->sender_id);
	if (n->seq != 0)
		fprintf(out, " #%llu", (unsigned long long)n->seq);
	fputs(n->confirmed ? "]\n" : ", unconfirmed]\n", out);
	fflush(out);
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* A string where it is UTF-8, else an object that says base64. */
static json_t *
json_bytes(struct span bytes)
{
	char *text;
	json_t *object;

	if (utf8_valid(bytes))
		return json_stringn(bytes.len != 0 ? (const char *)bytes.at : "", bytes.len);
	text = malloc(ARMOR_BASE64_TEXT(bytes.len));
	if (text == NULL)
		return NULL;
	armor_base64(text, bytes);
	object = json_pack("{s:s}", "base64", text);
	free(text);
	return object;
}

static json_t *
json_text(const struct hearth_news *n)
{
	json_t *text = json_object();
	struct hearth_text t;
	size_t at = 0;
	char key[256];

	while (hearth_text_next(n, &at, &t) != 0) {
		memcpy(key, t.key, t.key_len);
		key[t.key_len] = '\0';
		if (json_object_get(text, key) != NULL)
			continue;	/* the first of two equal keys counts: RFC 6763 §6.4 */
		json_object_set_new(text, key, t.has_value
		    ? json_bytes(span_of(t.value, t.value_len)) : json_true());
	}
	return text;
}

static void
set_u64(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void
set_content(json_t *o, const struct hearth_news *n)
{
	static const char *const contents[] = { "text", "opaque", "cbor", "json" };

	if (n->content == HEARTH_CONTENT_TEXT) {
		json_object_set_new(o, "text", json_text(n));
		return;
	}
	json_object_set_new(o, "content",
	    json_string((unsigned)n->content < 4 ? contents[n->content] : "unknown"));
	json_object_set_new(o, "payload", json_bytes(span_of(n->payload, n->payload_len)));
}

json_t *
listen_json(const struct hearth_news *n)
{
	json_t *o = json_object();
	char id[20];

	json_object_set_new(o, "type", json_string(type_names[n->type]));
	if (n->topic[0] != '\0')
		json_object_set_new(o, "topic", json_string(n->topic));
	if (n->type == HEARTH_EVENT || n->type == HEARTH_STATE)
		set_content(o, n);
	if (n->reason[0] != '\0')
		json_object_set_new(o, "reason", json_string(n->reason));
	if (n->type == HEARTH_NOTICE && n->payload_len != 0)
		json_object_set_new(o, "detail", json_bytes(span_of(n->payload, n->payload_len)));
	json_object_set_new(o, "sender", json_string(n->sender));
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)n->sender_id);
	json_object_set_new(o, "sender_id", json_string(id));
	set_u64(o, "epoch", n->epoch);
	if (n->type == HEARTH_GAP) {
		set_u64(o, "first", n->first);
		set_u64(o, "last", n->last);
		set_u64(o, "count", n->last - n->first + 1);
		return o;
	}
	set_u64(o, "seq", n->seq);
	if (n->time_ms != 0)
		set_u64(o, "time", n->time_ms);
	json_object_set_new(o, "confirmed", json_boolean(n->confirmed));
	return o;
}
