/* ---- What every process of the run shares. Nothing of it is memory under test. ---- */
#define PAGE 4096ul
#define HUGE_PAGE (512 * PAGE)
/* Of a page: where word w is, and where the device marks a frame at the end of a run. Each word has a
 * sector of its own; all lie where an AF_XDP socket can be made to write, bytes 256 to 2304. */
#define WORD_AT(w) (512ul * ((w) + 1))
#define MARK_AT(slot) (2064ul + 16 * (slot))
#define UNUSED __attribute__((unused))

enum { RUNNING, FINISHED, FAILED, SKIPPED };          /* shared->phase */
enum { NOT_STARTED, BUSY, DONE, PARKED };             /* shared->actor[] */
enum { JOB_IDLE, JOB_QUEUED, JOB_DONE };              /* shared->job[].state */
enum { WRITTEN, FRESH, UNTOUCHED, UNMAPPED, ONLY_READ }; /* initial states of memory */
enum { ANONYMOUS, MEMFD, ANY_FILE, DISK_FILE };       /* what it is mapped from */
enum { SMALL, PMD_MAPPED, PTE_MAPPED, SPLIT };        /* of private memory: a large folio or not */

struct object {
    const char *name;
    char *base;
    unsigned first_page, pages, words;
    int8_t initial[4];
    int state;
    bool readonly, dontfork, wipeonfork;
    unsigned process;
    int file;         /* ANONYMOUS, MEMFD, ... */
    bool shared;
    bool hugetlb; /* its pages are HUGE_PAGE apart, words are in the first PAGE of each */
    int huge;     /* not SMALL: HUGE_PAGE bytes, of which the first pages have names */
};
struct process {
    const char *name;
    bool root;        /* exists from the start */
    bool vforked;
    unsigned mm;      /* address space: a vfork child has its parent's */
    unsigned actor;   /* its main thread */
};
struct actor {
    const char *name;
    unsigned process;
};
struct handle {
    const char *name;
    char *base;
    unsigned first_slot, pages, process;
};
/* One page that a handle refers to. */
struct slot {
    atomic_int taken;
    uint64_t pfn;         /* of the frame, 0: none or unknown */
    bool marked;          /* the device wrote a mark through the handle when all was over */
    uint64_t marked_pfn;  /* the frame on which a process saw that mark */
};
struct final_page {
    bool mapped;
    uint64_t pfn;
    int8_t word[4];
};
struct shared {
    atomic_int phase, changes, ready, go, inspect, inspected, doorbell;
    atomic_int event[EVENTS];
    atomic_int actor[ACTORS];
    atomic_uint line[ACTORS];
    atomic_int pid[PROCESSES], started[PROCESSES], exiting[PROCESSES], sigsegv[PROCESSES], sigbus[PROCESSES];
    int8_t reg[ACTORS][8];
    struct slot slot[SLOTS];
    struct {
        atomic_int state;
        unsigned slot, word;
        bool write;
        int8_t value;
    } job[JOBS];
    atomic_int handle_lock[HANDLES];
    struct final_page final[PROCESSES][PAGES];
    uint32_t seed, spin;
    char text[400];  /* why it failed or was skipped */
};
static struct shared *shared;
static pid_t main_pid;
static __thread unsigned self;           /* index of the running actor */
static __thread uint32_t random_state = 1;
static int time_out = 10;                /* seconds for one run */
static sigjmp_buf park_at[ACTORS];

static const struct object objects[OBJECTS];
static const struct process processes[PROCESSES];
static const struct actor actors[ACTORS];
static const struct handle handles[HANDLES];
static void run_code(unsigned actor);    /* the statements of one actor */
static void prepare_process(unsigned process);
static void clean_up(void);              /* by main, undoes prepare_program */

/* Bytes from one page of the object to the next. */
static unsigned long stride(const struct object *o)
{
    return o->hugetlb ? HUGE_PAGE : PAGE;
}

/* Bytes of the mapping. */
static unsigned long span(const struct object *o)
{
    return o->huge != SMALL ? HUGE_PAGE : o->pages * stride(o);
}

static int futex_wait(atomic_int *word, int value, int milliseconds)
{
    struct timespec t = { milliseconds / 1000, (milliseconds % 1000) * 1000000L };
    return (int)syscall(SYS_futex, word, FUTEX_WAIT, value, milliseconds < 0 ? NULL : &t, NULL, 0);
}

static void futex_wake(atomic_int *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Sets a word and wakes who waits for it. */
static void publish(atomic_int *word, int value)
{
    *word = value;
    futex_wake(word);
}

static void changed(void)
{
    shared->changes++;
    futex_wake(&shared->changes);
}

/*
 * Ends the run with a reason: FAILED or SKIPPED. errno, if set, is added. The first reason counts;
 * main prints it and kills the process group.
 */
static void __attribute__((noreturn, format(printf, 2, 3)))
give_up(int phase, const char *format, ...)
{
    static atomic_int once;
    int error = errno;
    if (once++ == 0 && shared->text[0] == 0) {
        va_list arguments;
        va_start(arguments, format);
        int n = vsnprintf(shared->text, sizeof shared->text, format, arguments);
        va_end(arguments);
        if (error != 0 && n >= 0 && (size_t)n < sizeof shared->text) {
            snprintf(shared->text + n, sizeof shared->text - (size_t)n, ": %s", strerror(error));
        }
        publish(&shared->phase, phase);
    }
    if (getpid() == main_pid) {
        printf("%s %s %s\n", phase == SKIPPED ? "drover-skip" : "drover-error", TEST_NAME,
               shared->text);
        clean_up();
        exit(phase == SKIPPED ? 77 : 1);
    }
    for (;;) pause();
}

static uint32_t random_number(void)
{
    uint32_t x = random_state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return random_state = x;
}

/* Actors that nothing orders start each statement after a random number of empty turns. */
static void jitter(void)
{
    if (ORDERED || shared->spin == 0) return;
    for (uint32_t n = random_number() % shared->spin; n > 0; n--) __asm__ volatile("" ::: "memory");
}

/* Where the actor is, for the message of a time-out. */
static UNUSED void at_line(unsigned line)
{
    shared->line[self] = line;
    jitter();
}

/* An ordered test stays on one CPU (its pages must not wait in another CPU's LRU batch); others
 * get a random one. */
static void choose_cpu(void)
{
    cpu_set_t allowed, one;
    if (ORDERED || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    unsigned skip = random_number() % (unsigned)CPU_COUNT(&allowed);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

static cpu_set_t all_cpus; /* that main may use */

/* Where a page sits in its CPU's LRU batch, a process that exits on that CPU empties the batch.
 * So other processes run elsewhere in every second run, if there is a second CPU. */
static void leave_this_cpu(void)
{
    cpu_set_t others = all_cpus;
    int cpu = sched_getcpu();
    if (cpu >= 0) CPU_CLR((unsigned)cpu, &others);
    if (shared->seed % 2 == 0 && CPU_COUNT(&others) > 0) {
        sched_setaffinity(0, sizeof others, &others);
    }
}

static void stay_on_this_cpu(void)
{
    cpu_set_t one;
    int cpu = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(cpu < 0 ? 0u : (unsigned)cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* ---- Page frames ---- */

/* The entry of /proc/self/pagemap; bit 63: present, bit 62: swapped, 0-54: the frame (for root). */
static uint64_t pagemap_entry(const char *address)
{
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0) give_up(FAILED, "open /proc/self/pagemap");
    if (pread(fd, &entry, sizeof entry, (off_t)((uintptr_t)address / PAGE * sizeof entry)) !=
        (ssize_t)sizeof entry) {
        entry = 0;
    }
    close(fd);
    return entry;
}

static uint64_t frame_at(const char *address)
{
    uint64_t entry = pagemap_entry(address);
    return (entry >> 63 & 1) != 0 ? entry & ((UINT64_C(1) << 55) - 1) : 0;
}

/* The handle was taken: note which frames it got. */
static UNUSED void note_taken(unsigned handle)
{
    const struct handle *h = &handles[handle];
    for (unsigned i = 0; i < h->pages; i++) {
        struct slot *s = &shared->slot[h->first_slot + i];
        s->pfn = frame_at(h->base + i * PAGE);
        s->taken = 1;
    }
}

/* Whether the handle was held until now. */
static UNUSED bool note_released(unsigned handle)
{
    const struct handle *h = &handles[handle];
    bool held = false;
    for (unsigned i = 0; i < h->pages; i++) {
        struct slot *s = &shared->slot[h->first_slot + i];
        held |= atomic_exchange(&s->taken, 0) != 0;
        s->pfn = 0;
    }
    return held;
}
