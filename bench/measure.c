/* Runs a command and writes its elapsed seconds, its CPU seconds (of all threads) and its peak
 * resident KiB to a file: one ruler for all programs of peers.sh, which compiles this.
 * Usage: measure FILE COMMAND [ARGUMENT ..]; the exit status is the command's.
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int argc, char** argv) {
  struct timespec begin, end;
  struct rusage usage;
  int status = 0;
  if (argc < 3) return 2;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  const pid_t child = fork();
  if (child < 0) return 2;
  if (child == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  if (wait4(child, &status, 0, &usage) != child) return 2;
  clock_gettime(CLOCK_MONOTONIC, &end);
  FILE* out = fopen(argv[1], "w");
  if (out == NULL) return 2;
  fprintf(out, "%.4f %.4f %ld\n",
          (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
          seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
  if (fclose(out) != 0) return 2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
