/* SPDX-License-Identifier: MIT */
/*
 * Settings files as text, made ready for libconfuse 3.3, whose lexer has ways that a user must not
 * meet: it counts three lines for a comment, runs to the end of the file in silence where a comment
 * or a section is not closed, takes everything up to the next } in the file for the name behind ${,
 * takes a name that is not in the environment for an empty text, and skips characters it does not
 * know. So comments are blanked here, and the rest is refused.
 */
#include "core/conf_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BRACES_MAX 16		/* deeper ones are counted without their line */

struct scan {
	char *at;
	const char *file;
	unsigned line;
	bool word;		/* inside an unquoted word, where / starts no comment */
	unsigned open[BRACES_MAX];	/* lines of the { that are open */
	unsigned depth;
	struct conf_findings *findings;
};

static enum err
read_all(int fd, char *buf, size_t cap, size_t *len)
{
	*len = 0;
	while (*len < cap) {
		ssize_t n = read(fd, buf + *len, cap - *len);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return ERR_SYS;
		if (n > 0)
			*len += (size_t)n;
	}
	return OK;
}

static enum err
read_file(const char *path, char *buf, size_t cap, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return ERR_SYS;

	enum err e = read_all(fd, buf, cap, len);
	int saved = errno;

	close(fd);
	errno = saved;
	return e;
}

static void __attribute__((format(printf, 3, 4)))
complain(struct scan *s, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	conf_vfind(s->findings, ERR_FORMAT, s->file, line, fmt, ap);
	va_end(ap);
}

static void
step(struct scan *s)
{
	if (*s->at++ == '\n')
		s->line++;
}

static void
blank(struct scan *s)
{
	if (*s->at != '\n')
		*s->at = ' ';
	step(s);
}

static void
blank_line(struct scan *s)
{
	while (*s->at != '\0' && *s->at != '\n')
		blank(s);
}

static void
blank_comment(struct scan *s)
{
	unsigned first = s->line;
	const char *end = strstr(s->at + 2, "*/");

	if (end == NULL)
		complain(s, first, "the comment that begins here is never closed");
	while (*s->at != '\0' && (end == NULL || s->at < end + 2))
		blank(s);
}

/*
 * An empty text in the place of a name may be a setting of its own: user = "". So what nobody has
 * set is an error, and so is what somebody has set to nothing. As in a shell, both are as if they
 * were not there for ${NAME:-else}; libconfuse looks for the second, so its name is blanked.
 */
static void
check_variable(struct scan *s, char *name, size_t len)
{
	char *colon = memchr(name, ':', len);
	bool otherwise = colon != NULL && colon + 1 < name + len && colon[1] == '-';
	char *copy = strndup(name, otherwise ? (size_t)(colon - name) : len);
	const char *value = copy != NULL ? getenv(copy) : "";

	if (otherwise && value != NULL && *value == '\0')
		memset(name, ' ', (size_t)(colon - name));
	else if (!otherwise && value == NULL)
		complain(s, s->line, "the environment has no %s; ${%s:-else} says what holds then, "
		    "and in single quotes it is text", copy, copy);
	else if (!otherwise && copy != NULL && *value == '\0')
		complain(s, s->line, "%s is empty in the environment; ${%s:-else} says what holds "
		    "then, ${%s:-} that nothing does", copy, copy, copy);
	free(copy);
}

/* ${NAME}: must be closed in the same line, and be there. */
static void
skip_variable(struct scan *s)
{
	size_t len = strcspn(s->at, "}\n");

	if (s->at[len] != '}')
		complain(s, s->line, "${ starts the name of an environment variable and needs a } "
		    "in the same line; a text with these two characters writes \\${");
	else
		check_variable(s, s->at + 2, len - 2);
	s->at += len;
}

/*
 * In double quotes libconfuse drops a \ that begins no escape it knows, and a regular expression
 * that was copied there would mean something else.
 */
static void
check_escape(struct scan *s)
{
	char c = s->at[1];

	if (strchr("\\\"'$ntbrfaevx01234567\n", c) == NULL && (uint8_t)c > ' ')
		complain(s, s->line,
		    "\\%c in double quotes is %c alone; in single quotes the \\ stays", c, c);
}

static void
skip_quoted(struct scan *s)
{
	char quote = *s->at;
	unsigned first = s->line;

	step(s);
	while (*s->at != '\0' && *s->at != quote) {
		if (quote == '"' && *s->at == '\\')
			check_escape(s);
		if (*s->at == '\\' && s->at[1] != '\0')
			step(s);
		else if (quote == '"' && s->at[0] == '$' && s->at[1] == '{')
			skip_variable(s);
		if (*s->at != '\0')
			step(s);
	}
	if (*s->at == '\0')
		complain(s, first, "the quote that begins here is never closed");
	else
		step(s);
}

static void
count_brace(struct scan *s, char c)
{
	if (c == '{') {
		if (s->depth < BRACES_MAX)
			s->open[s->depth] = s->line;
		s->depth++;
	} else if (c == '}' && s->depth != 0) {
		s->depth--;
	}
}

/* What editors and web pages put in the place of plain quotes and blanks; it looks the same. */
static bool
skip_ornament(struct scan *s)
{
	static const struct { const char *bytes, *words; } ornaments[] = {
		{ "\xe2\x80\x9c", "a curled quote" }, { "\xe2\x80\x9d", "a curled quote" },
		{ "\xe2\x80\x9e", "a curled quote" }, { "\xe2\x80\x98", "a curled quote" },
		{ "\xe2\x80\x99", "a curled quote" }, { "\xc2\xab", "a curled quote" },
		{ "\xc2\xbb", "a curled quote" }, { "\xc2\xa0", "a no-break space" },
		{ "\xe2\x80\xaf", "a no-break space" }, { "\xe2\x80\x8b", "an invisible space" },
		{ "\xef\xbb\xbf", "a byte order mark in the middle" },
	};

	for (size_t i = 0; i < sizeof(ornaments) / sizeof(ornaments[0]); i++) {
		size_t len = strlen(ornaments[i].bytes);

		if (strncmp(s->at, ornaments[i].bytes, len) != 0)
			continue;
		complain(s, s->line, "%s stands here; plain \" and blanks are understood",
		    ornaments[i].words);
		s->at += len;
		return true;
	}
	return false;
}

static void
scan_one(struct scan *s)
{
	char c = *s->at;
	bool word = s->word;

	s->word = false;
	if ((c & 0x80) != 0 && skip_ornament(s))
		return;
	if (c == '#' || (c == '/' && s->at[1] == '/' && !word)) {
		blank_line(s);
	} else if (c == '/' && s->at[1] == '*' && !word) {
		blank_comment(s);
	} else if (c == '"' || c == '\'') {
		skip_quoted(s);
	} else if (c == '$' && s->at[1] == '{' && !word) {
		skip_variable(s);
	} else {
		if (c == '*' || (c == '+' && s->at[1] != '='))
			complain(s, s->line,
			    "a bare %c means nothing here; such a text needs quotes", c);
		count_brace(s, c);
		s->word = strchr(" \t\r\n={}()+,*", c) == NULL;
		step(s);
	}
}

static void
clean(char *text, size_t len, const char *path, struct conf_findings *f)
{
	unsigned before = f->count;
	struct scan s = { .at = text, .file = path, .line = 1, .findings = f };

	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
		complain(&s, 1, "this is UTF-16; the file must be saved as UTF-8");
		return;
	}
	if (memchr(text, '\r', len) != NULL && memchr(text, '\n', len) == NULL) {
		complain(&s, 1, "lines end in a lone CR; they must end in LF or CR LF");
		return;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3);	/* the byte order mark of some editors */
	while (*s.at != '\0')
		scan_one(&s);
	if (s.at < text + len)
		complain(&s, s.line, "a zero byte; settings are text");
	else if (s.depth != 0 && f->count == before)
		complain(&s, s.open[s.depth < BRACES_MAX ? s.depth - 1 : BRACES_MAX - 1],
		    "the { in this line is never closed");
}

enum err
conf_text_load(char **text, const char *path, struct conf_findings *f)
{
	size_t cap = CONF_FILE_MAX + 2;	/* one more, to see that a file is too long; and the zero */
	char *buf = malloc(cap);
	size_t len;
	unsigned before = f->count;

	*text = NULL;
	if (buf == NULL)
		return ERR_NOMEM;

	enum err e = read_file(path, buf, cap - 1, &len);

	if (e != OK) {
		free(buf);
		return e;
	}
	buf[len] = '\0';
	if (len > CONF_FILE_MAX)
		conf_find(f, ERR_RANGE, path, 0, "more than 4 MiB cannot be a settings file");
	else
		clean(buf, len, path, f);
	if (f->count != before) {
		free(buf);
		return OK;
	}

	char *fit = realloc(buf, len + 1);

	*text = fit != NULL ? fit : buf;
	return OK;
}
