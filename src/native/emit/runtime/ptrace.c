/*
 * ---- PTRACE_POKEDATA and PTRACE_PEEKDATA of one word ----
 * They move eight bytes; bytes 1 to 7 after a word belong to nobody and are 0.
 */
#include <sys/ptrace.h>
#include <sys/wait.h>

/* 0, or -errno. What refuses the access shows as EIO; get_user_pages said EFAULT. */
static int8_t access_tracee(unsigned process, int request, char *address, long *data)
{
    pid_t pid = shared->pid[process];
    int status = 0;
    if (pid == 0) return -ESRCH;
    while (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0) {
        if (errno != EPERM) return (int8_t)-errno;
        usleep(100); /* another actor traces it just now */
    }
    if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0) return (int8_t)-errno;
    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) return -ESRCH;
    long signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
    errno = 0;
    long result = ptrace(request, pid, address, (void *)*data);
    int8_t error = (int8_t)(errno == EIO ? -EFAULT : -errno);
    *data = result;
    ptrace(PTRACE_DETACH, pid, NULL, (void *)signal);
    return error;
}

static UNUSED int8_t poke(unsigned process, char *object, unsigned page, unsigned word,
                          int8_t value)
{
    long data = (unsigned char)value;
    char *address = (char *)(uintptr_t)word_at(object, page, word);
    return access_tracee(process, PTRACE_POKEDATA, address, &data);
}

static UNUSED int8_t peek(unsigned process, char *object, unsigned page, unsigned word)
{
    long data = 0;
    char *address = (char *)(uintptr_t)word_at(object, page, word);
    int8_t error = access_tracee(process, PTRACE_PEEKDATA, address, &data);
    return error != 0 ? error : (int8_t)data;
}
