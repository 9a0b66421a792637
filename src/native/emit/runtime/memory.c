/* ---- Memory under test: each object is a VMA of its own, far from every other mapping. ---- */
static UNUSED volatile int8_t *word_at(char *object, unsigned page, unsigned word)
{
    return (volatile int8_t *)(object + page * PAGE + WORD_AT(word));
}

/*
 * Moves this CPU's freshly allocated pages from its batch to the LRU lists, which drops the batch's
 * references: MADV_COLD calls lru_add_drain(), and 64 more pages overflow any batch.
 */
static void drain_lru_batch(void)
{
    char *other = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (other == MAP_FAILED) give_up(FAILED, "mmap");
    for (unsigned i = 0; i < 64; i++) *(volatile char *)(other + i * PAGE) = 1;
    madvise(other, PAGE, MADV_COLD);
    munmap(other, 64 * PAGE);
}

static void prepare_large_folio(const struct object *o); /* in large_folio.c, if the test has one */

static void write_initial(const struct object *o)
{
    if (o->huge != SMALL) prepare_large_folio(o);
    for (unsigned page = 0; page < o->pages; page++) {
        for (unsigned w = 0; w < o->words; w++) *word_at(o->base + page * stride(o), 0, w) = o->initial[w];
        if (o->words == 0) *word_at(o->base + page * stride(o), 0, 0) = 0;
    }
}

static void advise(const struct object *o, int advice, const char *name)
{
    if (madvise(o->base, span(o), advice) != 0) give_up(FAILED, "madvise %s", name);
}

/* ---- Files. They exist before the processes of the run, which inherit the descriptors. ---- */
static int file_of[OBJECTS];

static const struct object *object_at(const char *address)
{
    unsigned i = 0;
    while (i + 1 < OBJECTS && (address < objects[i].base ||
                               address >= objects[i].base + span(&objects[i]))) {
        i++;
    }
    return &objects[i];
}

static UNUSED int file_at(const char *address)
{
    const struct object *o = object_at(address);
    return o->file == ANONYMOUS ? -1 : file_of[o - objects];
}

static UNUSED off_t offset_at(const char *address)
{
    const struct object *o = object_at(address);
    return o->file == ANONYMOUS ? 0 : (off_t)(address - o->base);
}

static int kind_at(const char *address)
{
    const struct object *o = object_at(address);
    if (o->file == ANONYMOUS) return MAP_PRIVATE | MAP_ANONYMOUS;
    return o->shared ? MAP_SHARED : MAP_PRIVATE;
}

/* A file without a name, below /var/tmp: a DISK_FILE needs a file system with dirty tracking. */
static int temporary_file(const struct object *o)
{
    char name[] = "/var/tmp/drover-XXXXXX";
    struct statfs system;
    mkdir("/var", 0755);
    mkdir("/var/tmp", 01777);
    int fd = mkstemp(name);
    if (fd < 0) give_up(FAILED, "mkstemp %s", name);
    unlink(name);
    if (fstatfs(fd, &system) != 0) give_up(FAILED, "fstatfs");
    const bool in_memory = system.f_type == 0x01021994 /* TMPFS_MAGIC */ ||
                           (unsigned)system.f_type == 0x858458f6u /* RAMFS_MAGIC */;
    if (o->file == DISK_FILE && in_memory) give_up(SKIPPED, "/var/tmp is not on a disk");
    return fd;
}

static void open_files(void)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        const struct object *o = &objects[i];
        if (o->file == ANONYMOUS) continue;
        int fd = o->file == MEMFD ? (int)syscall(SYS_memfd_create, o->name, 0u) : temporary_file(o);
        if (fd < 0 || ftruncate(fd, (off_t)(o->pages * PAGE)) != 0) give_up(FAILED, "%s", o->name);
        file_of[i] = fd;
        for (unsigned page = 0; page < o->pages; page++) {
            /* Zeros are a hole: nothing of it is in the page cache, which fault-around would map. */
            for (unsigned w = 0; w < o->words; w++) {
                if (o->initial[w] == 0) continue;
                off_t at = (off_t)(page * PAGE + WORD_AT(w));
                if (pwrite(fd, &o->initial[w], 1, at) != 1) give_up(FAILED, "pwrite %s", o->name);
            }
        }
        if (o->file != MEMFD) fsync(fd);
    }
}

static void read_pages(const struct object *o)
{
    for (unsigned page = 0; page < o->pages; page++) (void)*word_at(o->base, page, 0);
}

/* Maps and writes the objects that `process` has at the start. */
static void map_memory(unsigned process)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        const struct object *o = &objects[i];
        if (o->process != process || o->state == UNMAPPED) continue;
        char *got = MAP_FAILED;
        for (int attempt = 0; attempt < 300; attempt++) {
            if (attempt > 0) usleep(10000);
            got = mmap(o->base, span(o), PROT_READ | PROT_WRITE,
                       kind_at(o->base) | MAP_FIXED_NOREPLACE | (o->hugetlb ? MAP_HUGETLB : 0),
                       file_at(o->base), 0);
            /* The run before may not have given its huge pages back yet: io_uring unpins late. */
            if (got == o->base || !o->hugetlb || errno != ENOMEM) break;
        }
        if (got != o->base) give_up(FAILED, "mmap %s", o->name);
        if (o->state == WRITTEN) write_initial(o);
        if (o->state == ONLY_READ) read_pages(o);
    }
    drain_lru_batch();
    for (unsigned i = 0; i < OBJECTS; i++) {
        const struct object *o = &objects[i];
        if (o->process != process || o->state == UNMAPPED) continue;
        if (o->state == FRESH) write_initial(o);
        if (o->readonly && mprotect(o->base, span(o), PROT_READ) != 0) {
            give_up(FAILED, "mprotect %s", o->name);
        }
        if (o->dontfork) advise(o, MADV_DONTFORK, o->name);
        if (o->wipeonfork) advise(o, MADV_WIPEONFORK, o->name);
    }
}

/* What the page table of this process shows when all is over. The order matters: looking at the
 * words faults, so the page table comes first. */
static void inspect_memory(struct final_page *out)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        const struct object *o = &objects[i];
        for (unsigned page = 0; page < o->pages; page++) {
            struct final_page *f = &out[o->first_page + page];
            f->mapped = pagemap_entry(o->base + page * stride(o)) >> 62 != 0;
            f->pfn = frame_at(o->base + page * stride(o));
        }
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        const struct object *o = &objects[i];
        for (unsigned page = 0; page < o->pages; page++) {
            struct final_page *f = &out[o->first_page + page];
            char *address = o->base + page * stride(o);
            if (!f->mapped || mprotect(address, stride(o), PROT_READ) != 0) continue;
            for (unsigned w = 0; w < 4; w++) f->word[w] = *word_at(address, 0, w);
            for (unsigned s = 0; s < SLOTS; s++) {
                if (!shared->slot[s].marked) continue;
                if (*(volatile char *)(address + MARK_AT(s)) == 'm') {
                    shared->slot[s].marked_pfn = f->pfn;
                }
            }
        }
    }
}
