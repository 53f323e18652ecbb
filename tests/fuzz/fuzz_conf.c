/* SPDX-License-Identifier: MIT */
/* Settings files: words where one is refused, and what is accepted can be dumped and read again. */
#include "fuzz.h"

#include "support/conf_table.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Read the bytes as a file that has no name on the disk. */
static struct conf_file *
read_bytes(const void *bytes, size_t len)
{
	char path[32], findings[4096];
	struct conf_file *cf;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(write(fd, bytes, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	enum err e = conf_read(&cf, path, conf_table, findings, sizeof(findings));

	FUZZ_CHECK((e == OK) == (findings[0] == '\0'));
	FUZZ_CHECK((e == OK) == (cf != NULL));
	close(fd);
	return cf;
}

static char *
dump(const struct conf_file *cf, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	FUZZ_CHECK(out != NULL);
	conf_dump(cf, out);
	FUZZ_CHECK(fclose(out) == 0);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, again_len;
	struct conf_file *cf;

	/* An include would read what happens to lie on this machine. */
	if (memmem(data, size, "include", 7) != NULL)
		return 0;
	cf = read_bytes(data, size);
	if (cf == NULL)
		return 0;

	char *text = dump(cf, &len);
	struct conf_file *same = read_bytes(text, len);

	FUZZ_CHECK(same != NULL);

	char *again = dump(same, &again_len);

	FUZZ_CHECK(len == again_len && memcmp(text, again, len) == 0);
	conf_file_free(cf);
	conf_file_free(same);
	free(text);
	free(again);
	return 0;
}
