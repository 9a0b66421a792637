/* ---- Posted transfers: a process of its own is the device, and acts when it likes ---- */
static UNUSED void post_job(unsigned job, unsigned slot, unsigned word, bool write, int8_t value)
{
    shared->job[job].slot = slot;
    shared->job[job].word = word;
    shared->job[job].write = write;
    shared->job[job].value = shared->slot[slot].taken ? value : 0;
    publish(&shared->job[job].state, shared->slot[slot].taken ? JOB_QUEUED : JOB_DONE);
    shared->doorbell++;
    futex_wake(&shared->doorbell);
}

static UNUSED int8_t complete_job(unsigned job)
{
    while (shared->job[job].state == JOB_QUEUED) {
        futex_wait(&shared->job[job].state, JOB_QUEUED, 1000);
    }
    int8_t value = shared->job[job].value;
    shared->job[job].value = 0;
    shared->job[job].state = JOB_IDLE;
    return value;
}

static void __attribute__((noreturn)) device_main(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    random_state = shared->seed | 1;
    choose_cpu();
    for (;;) {
        int rung = shared->doorbell;
        for (unsigned j = 0; j < JOBS; j++) {
            if (shared->job[j].state != JOB_QUEUED) continue;
            jitter();
            unsigned slot = shared->job[j].slot, word = shared->job[j].word;
            if (shared->job[j].write) {
                dma_write(slot, word, shared->job[j].value);
                shared->job[j].value = 0;
            } else {
                shared->job[j].value = dma_read(slot, word);
            }
            publish(&shared->job[j].state, JOB_DONE);
            changed();
        }
        futex_wait(&shared->doorbell, rung, 1000);
    }
}

static void start_device(void)
{
    pid_t pid = fork();
    if (pid < 0) give_up(FAILED, "fork of the device");
    if (pid == 0) device_main();
}
