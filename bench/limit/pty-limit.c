/*
 * How fast the kernel hands out what a process prints on a terminal: forkpty, `cat FILE`, reads of 64 KiB.
 * Prints bytes, seconds and seconds of its own processor time. Nobody is sent anything.
 */
#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

int main(int argc, char **argv) {
  static char block[64 * 1024];
  long long total = 0;
  int master;
  if (argc != 2) return 64;
  double begun = seconds();
  pid_t child = forkpty(&master, NULL, NULL, NULL);
  if (child < 0) return 1;
  if (child == 0) {
    execlp("cat", "cat", argv[1], (char *)NULL);
    _exit(127);
  }
  for (;;) {
    ssize_t length = read(master, block, sizeof block);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break; /* EIO: cat has ended and everything has been read */
    total += length;
  }
  double took = seconds() - begun;
  waitpid(child, NULL, 0);
  printf("%lld %.6f %.6f\n", total, took, processor_seconds());
  return 0;
}
