/* ---- vmsplice: a pipe per handle, made before the processes exist ---- */
static int pipes[HANDLES][2];

static void prepare_pipe(unsigned handle, unsigned copies)
{
    int bytes = (int)(copies * handles[handle].pages * PAGE);
    if (pipe2(pipes[handle], O_NONBLOCK) != 0) give_up(FAILED, "pipe2");
    if (copies > 1 && fcntl(pipes[handle][1], F_SETPIPE_SZ, bytes) < bytes) {
        give_up(FAILED, "F_SETPIPE_SZ");
    }
}

static void drain_pipe(int fd)
{
    char page[PAGE];
    while (read(fd, page, sizeof page) > 0) continue;
}

static int8_t splice_pages(unsigned handle, unsigned copies)
{
    struct iovec v = { handles[handle].base, handles[handle].pages * PAGE };
    for (unsigned i = 0; i < copies; i++) {
        ssize_t n = vmsplice(pipes[handle][1], &v, 1, 0);
        if (n == (ssize_t)v.iov_len) continue;
        int8_t result = (int8_t)(n < 0 ? -errno : -EFAULT); /* or a later page was not there */
        if (n >= 0 || i > 0) drain_pipe(pipes[handle][0]);
        return result;
    }
    note_taken(handle);
    return 0;
}

/* Peeks: tee() gives a second pipe references to the same pages, and that one is read. */
static UNUSED int8_t pipe_peek(unsigned handle, unsigned page, unsigned word)
{
    if (!shared->slot[handles[handle].first_slot].taken) return 0;
    int scratch[2];
    char bytes[PAGE];
    size_t want = (page + 1) * PAGE;
    if (pipe2(scratch, O_NONBLOCK) != 0) give_up(FAILED, "pipe2");
    if (tee(pipes[handle][0], scratch[1], want, 0) != (ssize_t)want) give_up(FAILED, "tee");
    for (unsigned i = 0; i <= page; i++) {
        if (read(scratch[0], bytes, PAGE) != (ssize_t)PAGE) give_up(FAILED, "read of the pipe");
    }
    close(scratch[0]);
    close(scratch[1]);
    return (int8_t)bytes[WORD_AT(word)];
}

/* Other processes have the pipe open too: reading, not closing, drops its references. */
static UNUSED void close_pipe(unsigned handle)
{
    if (note_released(handle)) drain_pipe(pipes[handle][0]);
}
