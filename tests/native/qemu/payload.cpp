// A test program for tests: does what its argument says. Static, because guests run it.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int sysrq(const char* key) {
  const int fd = open("/proc/sysrq-trigger", O_WRONLY);
  const bool pressed = fd >= 0 && write(fd, key, 1) == 1;
  return pressed ? 0 : 9;
}

}  // namespace

int main(int count, char** arguments) {
  const char* what = count > 1 ? arguments[1] : "";
  setvbuf(stdout, nullptr, _IOLBF, 0);
  printf("%s begins\n", what);
  if (strcmp(what, "fail") == 0) return 77;
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "panic") == 0) return sysrq("c");
  if (strcmp(what, "off") == 0) return sysrq("o") + static_cast<int>(sleep(30));
  if (strcmp(what, "memory") == 0) return sysrq("m");  // prints at level warning
  if (strcmp(what, "left") == 0) {
    // Leaves files and a process in a session of its own; "clean" fails if it finds any of it.
    if (FILE* file = fopen("left", "w"); file != nullptr) fclose(file);
    if (fork() == 0) {
      setsid();
      for (;;) pause();
    }
  }
  if (strcmp(what, "clean") == 0) return access("left", F_OK) == 0 ? 1 : 0;
  while (strcmp(what, "hang") == 0) pause();
  return 0;
}
