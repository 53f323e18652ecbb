/* SPDX-License-Identifier: MIT */
/* Each case gives up its rights in a child; the child's exit status says which check failed. */
#include "core/privs.h"

#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER "nobody"

#define REQUIRE(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "line %d: %s\n", __LINE__, #cond);                         \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Run a child and give its exit status; 255 where it did not exit. */
static int
in_child(void (*run)(void))
{
	int status;

	fflush(stdout);

	pid_t pid = fork();

	if (pid == 0) {
		run();
		_exit(0);
	}
	CU_ASSERT_NOT_EQUAL_FATAL(pid, -1);
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Look up a line of /proc/self/status by its name: the number behind it in the given base. */
static unsigned long long
status_number(const char *name, int base)
{
	char line[256];
	size_t len = strlen(name);
	unsigned long long v = ~0ULL;
	FILE *f = fopen("/proc/self/status", "re");

	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			v = strtoull(line + len + 1, NULL, base);
	fclose(f);
	return v;
}

static void
require_no_rights(void)
{
	REQUIRE(status_number("CapEff", 16) == 0);
	REQUIRE(status_number("CapPrm", 16) == 0);
	REQUIRE(status_number("CapInh", 16) == 0);
	REQUIRE(status_number("CapAmb", 16) == 0);
	REQUIRE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void
become_nobody(void)
{
	const struct passwd *pw = getpwnam(USER);
	gid_t groups[64];

	REQUIRE(pw != NULL);

	uid_t uid = pw->pw_uid;
	gid_t gid = pw->pw_gid;
	const gid_t extra = 0;

	REQUIRE(setgroups(1, &extra) == 0);
	REQUIRE(privs_drop(USER, 0) == OK);
	REQUIRE(getuid() == uid && geteuid() == uid);
	REQUIRE(getgid() == gid && getegid() == gid);

	int n = getgroups(64, groups);

	REQUIRE(n >= 0);
	for (int i = 0; i < n; i++)
		REQUIRE(groups[i] != extra);
	require_no_rights();
	REQUIRE(setuid(0) != 0);
	REQUIRE(open("/etc/shadow", O_RDONLY | O_CLOEXEC) == -1);
}

static void
keep_identity(void)
{
	REQUIRE(privs_drop("", 0) == OK);
	REQUIRE(getuid() == 0 && geteuid() == 0);
	require_no_rights();
}

static void
name_nobody_has(void)
{
	REQUIRE(privs_drop("no-such-user-here", 0) == ERR_NOTFOUND);
	REQUIRE(geteuid() == 0);
	REQUIRE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
}

static void
without_root(void)
{
	if (geteuid() == 0)
		REQUIRE(setresuid(65534, 65534, 65534) == 0);

	uid_t uid = getuid();

	REQUIRE(privs_drop("root", 0) == OK);
	REQUIRE(getuid() == uid && geteuid() == uid);
	REQUIRE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

/* As a service manager starts a daemon that may bind low ports: no root, but a capability. */
static void
with_a_gift(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	const unsigned long gift = CAP_NET_BIND_SERVICE;

	REQUIRE(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	REQUIRE(setresuid(65534, 65534, 65534) == 0);
	sets[0].effective = sets[0].permitted = sets[0].inheritable = 1u << gift;
	REQUIRE(syscall(SYS_capset, &head, sets) == 0);
	REQUIRE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, gift, 0, 0) == 0);
	REQUIRE(privs_drop(USER, 0) == OK);
	require_no_rights();
}

/* One capability stays with the user, and nothing comes back with it. */
static void
keep_one(const char *user)
{
	const unsigned long long one = 1ULL << CAP_NET_ADMIN;

	REQUIRE(privs_drop(user, 1ULL << CAP_NET_ADMIN) == OK);
	REQUIRE(status_number("CapEff", 16) == one);
	REQUIRE(status_number("CapPrm", 16) == one);
	REQUIRE(status_number("CapInh", 16) == 0);
	REQUIRE(status_number("CapAmb", 16) == 0);
	REQUIRE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	REQUIRE(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0);
}

static void
become_nobody_with_one(void)
{
	keep_one(USER);
	REQUIRE(geteuid() != 0 && setuid(0) != 0);
	REQUIRE(open("/etc/shadow", O_RDONLY | O_CLOEXEC) == -1);
}

static void
keep_identity_with_one(void)
{
	keep_one("");
	REQUIRE(geteuid() == 0);
}

/* What is not there cannot be kept; it is no error. */
static void
keep_what_is_not_there(void)
{
	REQUIRE(privs_drop("", 0) == OK);
	REQUIRE(privs_drop("", 1ULL << CAP_NET_ADMIN) == OK);
	require_no_rights();
}

static void
socket_stays_open(void)
{
	struct sockaddr_in local = { .sin_family = AF_INET };
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd != -1);
	local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(bind(fd, (struct sockaddr *)&local, sizeof(local)) == 0);
	REQUIRE(privs_drop(USER, 0) == OK);
	REQUIRE(listen(fd, 1) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)&local, &len) == 0 && local.sin_port != 0);
}

static bool
not_root(void)
{
	if (geteuid() == 0)
		return false;
	puts("skipped: needs root");
	return true;
}

static void
root_becomes_the_user_with_nothing_left(void)
{
	if (!not_root())
		CU_ASSERT_EQUAL(in_child(become_nobody), 0);
}

static void
no_user_keeps_the_identity_without_capabilities(void)
{
	if (!not_root())
		CU_ASSERT_EQUAL(in_child(keep_identity), 0);
}

static void
an_unknown_user_changes_nothing(void)
{
	if (!not_root())
		CU_ASSERT_EQUAL(in_child(name_nobody_has), 0);
}

static void
sockets_bound_before_go_on_working(void)
{
	if (!not_root())
		CU_ASSERT_EQUAL(in_child(socket_stays_open), 0);
}

static void
capabilities_without_root_are_given_up_too(void)
{
	if (!not_root())
		CU_ASSERT_EQUAL(in_child(with_a_gift), 0);
}

static void
a_capability_that_is_needed_stays_alone(void)
{
	if (not_root())
		return;
	CU_ASSERT_EQUAL(in_child(become_nobody_with_one), 0);
	CU_ASSERT_EQUAL(in_child(keep_identity_with_one), 0);
	CU_ASSERT_EQUAL(in_child(keep_what_is_not_there), 0);
}

static void
without_root_only_new_rights_are_ruled_out(void)
{
	CU_ASSERT_EQUAL(in_child(without_root), 0);
}

UNIT_MAIN("privs", UNIT(root_becomes_the_user_with_nothing_left),
    UNIT(no_user_keeps_the_identity_without_capabilities), UNIT(an_unknown_user_changes_nothing),
    UNIT(sockets_bound_before_go_on_working), UNIT(capabilities_without_root_are_given_up_too),
    UNIT(a_capability_that_is_needed_stays_alone),
    UNIT(without_root_only_new_rights_are_ruled_out))
