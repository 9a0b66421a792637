/* ---- The runner: a fresh process group for each run ---- */
static unsigned long iterations; /* 0: not said */
static double seconds;            /* 0: no limit */
static bool verbose;
static volatile sig_atomic_t stopped;

struct outcome {
    unsigned long count;
    char text[1000], frames[1000];
};
static struct outcome outcomes[64];

/* A bounded string that grows by printf. */
static void __attribute__((format(printf, 3, 4))) append(char *text, size_t size,
                                                         const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static UNUSED void add_value(char *text, const char *name, int value)
{
    append(text, sizeof outcomes->text, " %s=%d", name, value);
}

static UNUSED void add_word(char *text, const char *name, unsigned mm, unsigned page, unsigned word)
{
    if (shared->final[mm][page].mapped) add_value(text, name, shared->final[mm][page].word[word]);
    else append(text, sizeof outcomes->text, " %s=unmapped", name);
}

/* The frame behind a handle. A mark that a process saw proves it; else it is what the pagemap
 * showed when the handle was taken, unless a process maps that frame and saw no mark there. */
static UNUSED uint64_t slot_frame(unsigned slot)
{
    const struct slot *s = &shared->slot[slot];
    if (!s->marked) return s->pfn;
    if (s->marked_pfn != 0) return s->marked_pfn;
    for (unsigned mm = 0; mm < PROCESSES; mm++) {
        for (unsigned page = 0; page < PAGES; page++) {
            const struct final_page *f = &shared->final[mm][page];
            if (f->mapped && f->pfn == s->pfn) return UINT64_MAX;
        }
    }
    return s->pfn;
}

static UNUSED uint64_t page_frame(unsigned mm, unsigned page)
{
    return shared->final[mm][page].mapped ? shared->final[mm][page].pfn : 0;
}

static UNUSED int same_frame(uint64_t a, uint64_t b)
{
    return a != 0 && a == b;
}

static void add_frame(char *text, uint64_t frame)
{
    if (frame == UINT64_MAX) append(text, sizeof outcomes->frames, "elsewhere");
    else if (frame == 0) append(text, sizeof outcomes->frames, "-");
    else append(text, sizeof outcomes->frames, "%#" PRIx64, frame);
}

/* Frame numbers of what is mapped and referred to at the end: for root only. */
static void describe_frames(char *text)
{
    if (geteuid() != 0) return;
    for (unsigned p = 0; p < PROCESSES; p++) {
        if (processes[p].vforked) continue;
        for (unsigned i = 0; i < OBJECTS; i++) {
            for (unsigned page = 0; page < objects[i].pages; page++) {
                const struct final_page *f =
                    &shared->final[processes[p].mm][objects[i].first_page + page];
                append(text, sizeof outcomes->frames, " %s:%s[%u]=", processes[p].name,
                       objects[i].name, page);
                add_frame(text, f->mapped ? f->pfn : 0);
            }
        }
    }
    for (unsigned h = 0; h < HANDLES; h++) {
        for (unsigned i = 0; i < handles[h].pages; i++) {
            append(text, sizeof outcomes->frames, " %s[%u]=", handles[h].name, i);
            add_frame(text, slot_frame(handles[h].first_slot + i));
        }
    }
}

static void record_outcome(void)
{
    struct outcome this_run = { 1, "", "" };
    describe_outcome(this_run.text);
    describe_frames(this_run.frames);
    if (verbose) printf("drover-run %s%s ;%s\n", TEST_NAME, this_run.text, this_run.frames);
    for (unsigned i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (outcomes[i].count == 0) outcomes[i] = this_run;
        else if (strcmp(outcomes[i].text, this_run.text) == 0) outcomes[i].count++;
        else continue;
        return;
    }
    printf("drover-error %s more than 64 different outcomes\n", TEST_NAME);
}

static bool all_over(void)
{
    for (unsigned p = 0; p < PROCESSES; p++) {
        if (!shared->started[p]) continue;
        if (shared->exiting[p]) {
            if (shared->pid[p] == 0 || !gone(p, 20)) return false;
            continue;
        }
        for (unsigned a = 0; a < ACTORS; a++) {
            if (actors[a].process == p && shared->actor[a] != DONE && shared->actor[a] != PARKED) {
                return false;
            }
        }
    }
    for (unsigned j = 0; j < JOBS; j++) {
        if (shared->job[j].state == JOB_QUEUED) return false;
    }
    return true;
}

/* The leader of the group: prepares, starts the processes, asks them at the end what they map. */
static void __attribute__((noreturn)) supervise(void)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)time_out + 10);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    random_state = shared->seed | 1;
    if (ORDERED) stay_on_this_cpu();
    catch_signals();
    open_files();
    prepare_run();
    unsigned wanted = 0;
    for (unsigned p = 0; p < PROCESSES; p++) {
        if (!processes[p].root) continue;
        for (unsigned a = 0; a < ACTORS; a++) wanted += actors[a].process == p;
        shared->started[p] = 1;
        pid_t pid = fork();
        if (pid < 0) give_up(FAILED, "fork");
        if (pid == 0) process_main(p);
    }
    for (int n; (n = shared->ready) < (int)wanted;) futex_wait(&shared->ready, n, 100);
    publish(&shared->go, 1);
    for (;;) {
        int changes = shared->changes;
        if (all_over()) break;
        futex_wait(&shared->changes, changes, 20);
    }
    mark_handles();
    for (unsigned p = 0; p < PROCESSES; p++) {
        if (!shared->started[p] || shared->exiting[p] || processes[p].vforked) continue;
        publish(&shared->inspect, (int)p + 1);
        for (int n; (n = shared->inspected) != (int)p + 1;) futex_wait(&shared->inspected, n, 100);
    }
    publish(&shared->phase, FINISHED);
    for (;;) pause();
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_stop(int signal)
{
    stopped = signal;
}

/* Kills the group and waits until all of it is gone: main is its subreaper. */
static bool end_group(pid_t group)
{
    double end = now() + 10;
    kill(-group, SIGKILL);
    kill(group, SIGKILL);
    for (;;) {
        pid_t pid = waitpid(-group, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD) return true;
        if (pid == 0) usleep(200);
        if (now() > end) return false;
    }
}

static void report_time_out(void)
{
    printf("drover-error %s timeout after %d s", TEST_NAME, time_out);
    for (unsigned a = 0; a < ACTORS; a++) {
        const char *state = shared->actor[a] == NOT_STARTED ? "not started"
                            : shared->actor[a] == DONE      ? "done"
                            : shared->actor[a] == PARKED    ? "parked by a signal"
                                                            : "at line";
        printf("%s %s %s", a == 0 ? ":" : ",", actors[a].name, state);
        if (shared->actor[a] == BUSY) printf(" %u", shared->line[a]);
    }
    printf("\n");
}

/* One run; gives FINISHED, FAILED or SKIPPED. */
static int run_once(uint32_t seed)
{
    static const uint32_t spins[] = { 0, 50, 500, 5000, 50000 };
    memset(shared, 0, sizeof *shared);
    shared->seed = seed;
    shared->spin = spins[seed % 5];
    fflush(stdout);
    pid_t group = fork();
    if (group < 0) give_up(FAILED, "fork");
    if (group == 0) supervise();
    setpgid(group, group);
    double end = now() + time_out;
    while (shared->phase == RUNNING && !stopped && now() < end) {
        futex_wait(&shared->phase, RUNNING, 100);
    }
    int phase = shared->phase;
    if (phase == RUNNING && stopped) phase = FAILED;
    else if (phase == RUNNING) report_time_out();
    else if (phase == FINISHED) record_outcome();
    else printf("%s %s %s\n", phase == SKIPPED ? "drover-skip" : "drover-error", TEST_NAME,
                shared->text);
    if (phase == RUNNING) phase = FAILED;
    end_run();
    if (phase == FAILED) clean_up(); /* a transfer that hangs is aborted here */
    if (!end_group(group)) {
        printf("drover-error %s a process cannot be killed\n", TEST_NAME);
        exit(1);
    }
    return phase;
}

static void read_options(int argc, char **argv)
{
    for (int c; (c = getopt(argc, argv, "n:t:T:v")) != -1;) {
        if (c == 'n') iterations = strtoul(optarg, NULL, 10);
        else if (c == 't') seconds = strtod(optarg, NULL);
        else if (c == 'T') time_out = atoi(optarg);
        else if (c == 'v') verbose = true;
        else {
            fprintf(stderr, "usage: %s [-n ITERATIONS] [-t SECONDS] [-T TIMEOUT-OF-ONE] [-v]\n",
                    argv[0]);
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    main_pid = getpid();
    sched_getaffinity(0, sizeof all_cpus, &all_cpus);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    if (NEEDS_ROOT && geteuid() != 0) {
        printf("drover-skip %s needs root: %s\n", TEST_NAME, NEEDS_ROOT_WHY);
        return 77;
    }
    struct sigaction stop = { .sa_handler = on_stop };
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!LARGE_FOLIOS) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    prepare_program();
    if (iterations == 0) iterations = seconds > 0 ? ULONG_MAX : ORDERED ? 1 : 1000;
    double start = now();
    int phase = FINISHED;
    for (unsigned long i = 0; i < iterations && phase == FINISHED && !stopped; i++) {
        if (seconds > 0 && i > 0 && now() - start >= seconds) break;
        phase = run_once((uint32_t)i * 2654435761u + (uint32_t)main_pid);
    }
    for (unsigned i = 0; i < sizeof outcomes / sizeof outcomes[0] && outcomes[i].count > 0; i++) {
        printf("drover-outcome %s %s n=%lu%s\n", TEST_NAME, TEST_HASH, outcomes[i].count,
               outcomes[i].text);
        if (outcomes[i].frames[0]) printf("drover-pfn %s%s\n", TEST_NAME, outcomes[i].frames);
    }
    clean_up();
    return phase == FINISHED ? 0 : phase == SKIPPED ? 77 : 1;
}
