/* Another program, for a test: no shell between, and an end that it does not choose itself. */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gw_test.h"

#define SPAWN_S 10

/*
 * Starts the program of argv, looked up in PATH, which ends with NULL. It reads from the file input (NULL: from nothing). It dies with the test,
 * and after ten seconds: a pending alarm outlives exec (execve(2)).
 */
static inline pid_t spawn_start(const char *const *argv, const char *input)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(input ? input : "/dev/null", O_RDONLY | O_CLOEXEC);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)alarm(SPAWN_S);
		if (fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO) {
			/* exec takes what it does not change as char *const * only. */
			(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		}
		_exit(127);
	}
	return pid;
}

/* Until it has ended; fails the test when that was not with 0. */
static inline void spawn_wait(pid_t pid)
{
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fail_msg("the program ended with status %#x", (unsigned)status);
	}
}

static inline void spawn_run(const char *const *argv, const char *input)
{
	spawn_wait(spawn_start(argv, input));
}
