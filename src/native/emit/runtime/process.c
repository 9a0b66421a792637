/* ---- Processes and threads ---- */

/* A SIGSEGV or SIGBUS on memory under test parks the actor for good; any other is a fault of the runner. */
static void on_sigsegv(int signal, siginfo_t *info, void *context)
{
    (void)context;
    for (unsigned i = 0; i < OBJECTS; i++) {
        char *address = info->si_addr;
        if (address < objects[i].base || address >= objects[i].base + objects[i].pages * stride(&objects[i])) {
            continue;
        }
        if (signal == SIGBUS) shared->sigbus[actors[self].process] = 1;
        else shared->sigsegv[actors[self].process] = 1;
        siglongjmp(park_at[self], 1);
    }
    errno = 0;
    give_up(FAILED, "%s: signal %d at %p, outside the memory under test, line %u",
            actors[self].name, signal, info->si_addr, shared->line[self]);
}

static void on_fatal_signal(int signal)
{
    errno = 0;
    give_up(FAILED, "%s: signal %d at line %u", actors[self].name, signal, shared->line[self]);
}

static void catch_signals(void)
{
    struct sigaction segv = { .sa_sigaction = on_sigsegv, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &segv, NULL);
    signal(SIGILL, on_fatal_signal);
    signal(SIGPIPE, SIG_IGN);
}

/* Runs an actor's statements, once all that exist from the start are ready. */
static void run_actor(unsigned actor)
{
    self = actor;
    random_state = (shared->seed ^ (actor + 1) * 2654435761u) | 1;
    choose_cpu();
    shared->ready++;
    futex_wake(&shared->ready);
    while (shared->go == 0) {
        if (ORDERED) futex_wait(&shared->go, 0, 1000);
        else sched_yield();
    }
    shared->actor[actor] = BUSY;
    if (sigsetjmp(park_at[actor], 1) == 0) {
        run_code(actor);
        shared->actor[actor] = DONE;
    } else {
        shared->actor[actor] = PARKED;
    }
    changed();
}

static void *thread_main(void *argument)
{
    run_actor((unsigned)(uintptr_t)argument);
    for (;;) pause();
    return NULL;
}

static void start_threads(unsigned process)
{
    for (unsigned a = 0; a < ACTORS; a++) {
        if (actors[a].process != process || a == processes[process].actor) continue;
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 256 * 1024);
        errno = pthread_create(&thread, &attributes, thread_main, (void *)(uintptr_t)a);
        if (errno != 0) give_up(FAILED, "pthread_create");
        pthread_attr_destroy(&attributes);
    }
}

/* A process whose statements are over stays, and at the end of the run says what it has mapped. */
static void __attribute__((noreturn)) stay_idle(unsigned process)
{
    for (;;) {
        int wanted = shared->inspect;
        if (wanted == (int)process + 1 && shared->inspected != wanted) {
            inspect_memory(shared->final[processes[process].mm]);
            publish(&shared->inspected, wanted);
        }
        futex_wait(&shared->inspect, wanted, 1000);
    }
}

static void __attribute__((noreturn)) process_main(unsigned process)
{
    self = processes[process].actor;
    if (ORDERED && HAS_FRESH && !processes[process].root) leave_this_cpu();
    alarm((unsigned)time_out + 10); /* if main was killed */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    publish(&shared->pid[process], getpid());
    if (processes[process].root) prctl(PR_SET_PDEATHSIG, SIGKILL);
    prepare_process(process);
    start_threads(process);
    if (processes[process].root) {
        choose_cpu();
        map_memory(process);
    }
    run_actor(processes[process].actor);
    stay_idle(process);
}

static UNUSED int8_t fork_process(unsigned child)
{
    shared->started[child] = 1;
    pid_t pid = fork();
    if (pid == 0) process_main(child);
    if (pid < 0) {
        int8_t error = (int8_t)-errno;
        shared->started[child] = 0;
        changed();
        return error;
    }
    publish(&shared->pid[child], pid);
    return 0;
}

static int vfork_main(void *argument)
{
    process_main((unsigned)(uintptr_t)argument);
}

/* vfork with a stack of its own for the child, which runs whole statements. */
static UNUSED int8_t vfork_process(unsigned child)
{
    static char stacks[PROCESSES][64 * 1024] __attribute__((aligned(16)));
    unsigned parent = self;
    uint32_t state = random_state;
    shared->started[child] = 1;
    pid_t pid = clone(vfork_main, stacks[child] + sizeof stacks[child],
                      CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)(uintptr_t)child);
    int error = errno;
    self = parent; /* the child used our thread-local variables */
    random_state = state;
    if (pid < 0) {
        shared->started[child] = 0;
        changed();
        return (int8_t)-error;
    }
    publish(&shared->pid[child], pid);
    return 0;
}

static UNUSED void exit_process(void)
{
    shared->exiting[actors[self].process] = 1;
    changed();
    syscall(SYS_exit_group, 0);
}

/* Whether the process, which has started, is gone within the time. Its memory is unmapped then. */
static bool gone(unsigned process, int milliseconds)
{
    int fd = (int)syscall(SYS_pidfd_open, shared->pid[process], 0);
    if (fd < 0 && errno == ESRCH) return true;
    if (fd < 0) give_up(FAILED, "pidfd_open");
    struct pollfd p = { fd, POLLIN, 0 };
    int n = poll(&p, 1, milliseconds);
    close(fd);
    return n == 1;
}

static UNUSED void wait_process(unsigned process)
{
    while (shared->pid[process] == 0) futex_wait(&shared->pid[process], 0, 1000);
    while (!gone(process, 1000)) continue;
}
