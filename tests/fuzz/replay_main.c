/* SPDX-License-Identifier: MIT */
/*
 * main() of a fuzz target where there is no fuzzer: feeds it every file that is named or lies in
 * a directory that is named, and says how many. Each input gets memory of its exact size, so that
 * a sanitizer sees a read past its end.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1 << 20)	/* bytes, as libFuzzer's own limit */

static bool
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *room = malloc(INPUT_MAX);
	uint8_t *exact = NULL;
	bool done = false;

	if (f == NULL || room == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		goto close_file;
	}

	size_t size = fread(room, 1, INPUT_MAX, f);

	exact = malloc(size != 0 ? size : 1);
	if (exact == NULL || ferror(f) != 0 || fgetc(f) != EOF) {
		fprintf(stderr, "%s: unreadable, or longer than %d bytes\n", path, INPUT_MAX);
		goto close_file;
	}
	memcpy(exact, room, size);
	done = LLVMFuzzerTestOneInput(exact, size) == 0;
	if (!done)
		fprintf(stderr, "%s: the target gave something other than 0\n", path);
close_file:
	free(exact);
	free(room);
	if (f != NULL)
		fclose(f);
	return done;
}

static bool
replay(const char *path, unsigned *inputs)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		(*inputs)++;
		return replay_file(path);
	}

	DIR *d = opendir(path);
	bool fine = d != NULL;

	if (d == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		char inner[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		fine = replay(inner, inputs) && fine;
	}
	closedir(d);
	return fine;
}

int
main(int argc, char **argv)
{
	unsigned inputs = 0;
	bool fine = true;

	for (int i = 1; i < argc; i++)
		fine = replay(argv[i], &inputs) && fine;
	printf("%u inputs replayed\n", inputs);
	return fine && inputs != 0 ? 0 : 1;
}
