/* SPDX-License-Identifier: MIT */
/* The command around the importer: reads files and folders, prints the result. */
#include "hearthctl/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearthctl/import_dnsmasq.h"
#include "util/file.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)	/* one file; lists of ads reach some */

/* "-" is the standard input. */
static char *
read_path(void *ctx, const char *path, size_t *len)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? malloc(FILE_MAX_BYTES) : NULL;

	(void)ctx;
	if (fd < 0)
		return NULL;

	enum err e = text != NULL ? file_read_all(fd, text, FILE_MAX_BYTES, len) : ERR_NOMEM;

	file_close_quietly(fd);
	if (e == OK)
		return text;
	if (e == ERR_RANGE)
		errno = EFBIG;
	free(text);
	return NULL;
}

static int
is_file(const struct dirent *d)
{
	return d->d_type != DT_DIR;
}

static char *
list_path(void *ctx, const char *path)
{
	struct dirent **found;
	char *names = NULL;
	size_t len;
	int n = scandir(path, &found, is_file, alphasort);
	FILE *out = n >= 0 ? open_memstream(&names, &len) : NULL;

	(void)ctx;
	for (int i = 0; i < n; i++) {
		if (out != NULL)
			fwrite(found[i]->d_name, strlen(found[i]->d_name) + 1, 1, out);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	if (out != NULL) {
		putc('\0', out);
		fclose(out);
	}
	return names;
}

int
import_run(const struct tool *t, int argc, char **argv)
{
	static const struct import_files files = { .read = read_path, .list = list_path };
	struct import_counts counts;
	char *text;
	size_t bad = 0;

	(void)t;
	if (argc < 2)
		return tool_misuse("import wants a dnsmasq.conf, or several");

	enum err e = import_dnsmasq(&files, argv + 1, (size_t)argc - 1, &text, &counts, &bad);

	if (e != OK)
		return tool_fail("%s: %s", argv[1 + bad],
		    e == ERR_SYS ? strerror(errno) : err_text(e));
	fputs(text, stdout);
	free(text);
	fprintf(stderr,
	    "%zu lines, %zu of them not carried over, %zu with a difference: see the end\n",
	    counts.lines, counts.lost, counts.differing);
	if (counts.known == 0 && counts.lost != 0)
		return tool_fail("no line of this is one of a dnsmasq.conf");
	return TOOL_FINE;
}
