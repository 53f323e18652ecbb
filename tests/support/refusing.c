/* SPDX-License-Identifier: MIT */
/*
 * Run a program where one system call gives an error, as on an old kernel or in a sandbox that does
 * not know it.
 *
 *	refusing openat2|preadv2 ENOSYS|EPERM|EOPNOTSUPP PROGRAM [ARGUMENT...]
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct word {
	const char *name;
	uint32_t value;
};

static const struct word calls[] = { { "openat2", SYS_openat2 }, { "preadv2", SYS_preadv2 },
	{ NULL, 0 } };
static const struct word errors[] = { { "ENOSYS", ENOSYS }, { "EPERM", EPERM },
	{ "EOPNOTSUPP", EOPNOTSUPP }, { NULL, 0 } };

static const struct word *
look_up(const struct word *list, const char *name)
{
	for (; list->name != NULL; list++)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

static int
refuse(uint32_t call, uint32_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int
main(int argc, char **argv)
{
	const struct word *call = argc > 3 ? look_up(calls, argv[1]) : NULL;
	const struct word *error = argc > 3 ? look_up(errors, argv[2]) : NULL;

	if (call == NULL || error == NULL) {
		fprintf(stderr,
		    "usage: refusing openat2|preadv2 ENOSYS|EPERM|EOPNOTSUPP PROGRAM …\n");
		return 2;
	}
	if (refuse(call->value, error->value) != 0) {
		perror("refusing");
		return 77;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
