/* ---- vmsplice: pipes for each handle, made before the processes exist ---- */
#define PIPE_BUFFERS 256 /* of one pipe without privileges: fs.pipe-max-size is 1 MiB */
#define PIPES 88
static int pipes[HANDLES][PIPES][2];
static unsigned pipe_count[HANDLES];

/* How many times a pipe takes all pages of the handle. */
static unsigned copies_per_pipe(unsigned handle)
{
    return PIPE_BUFFERS / handles[handle].pages;
}

static void prepare_pipes(unsigned handle, unsigned copies)
{
    unsigned most = copies_per_pipe(handle);
    for (pipe_count[handle] = 0; copies > 0; pipe_count[handle]++) {
        int *ends = pipes[handle][pipe_count[handle]];
        unsigned here = copies < most ? copies : most;
        int bytes = (int)(here * handles[handle].pages * PAGE);
        if (pipe2(ends, O_NONBLOCK) != 0) give_up(FAILED, "pipe2");
        if (here > 1 && fcntl(ends[1], F_SETPIPE_SZ, bytes) < bytes) {
            give_up(FAILED, "F_SETPIPE_SZ");
        }
        copies -= here;
    }
}

static void drain_pipes(unsigned handle)
{
    char page[PAGE];
    for (unsigned p = 0; p < pipe_count[handle]; p++) {
        while (read(pipes[handle][p][0], page, sizeof page) > 0) continue;
    }
}

static int8_t splice_pages(unsigned handle, unsigned copies)
{
    struct iovec v = { handles[handle].base, handles[handle].pages * PAGE };
    for (unsigned i = 0; i < copies; i++) {
        ssize_t n = vmsplice(pipes[handle][i / copies_per_pipe(handle)][1], &v, 1, 0);
        if (n == (ssize_t)v.iov_len) continue;
        int8_t result = (int8_t)(n < 0 ? -errno : -EFAULT); /* or a later page was not there */
        drain_pipes(handle);
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
    if (tee(pipes[handle][0][0], scratch[1], want, 0) != (ssize_t)want) give_up(FAILED, "tee");
    for (unsigned i = 0; i <= page; i++) {
        if (read(scratch[0], bytes, PAGE) != (ssize_t)PAGE) give_up(FAILED, "read of the pipe");
    }
    close(scratch[0]);
    close(scratch[1]);
    return (int8_t)bytes[WORD_AT(word)];
}

/* Other processes have the pipes open too: reading, not closing, drops their references. */
static UNUSED void close_pipe(unsigned handle)
{
    if (note_released(handle)) drain_pipes(handle);
}
