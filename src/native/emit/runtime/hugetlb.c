/* ---- hugetlb: the pool of huge pages ---- */
static unsigned pool_before; /* what /proc/sys/vm/nr_hugepages said, + 1; 0: left alone */

static unsigned long memory_info(const char *name)
{
    char line[200];
    unsigned long value = 0;
    FILE *f = fopen("/proc/meminfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) value = strtoul(line + strlen(name), NULL, 10);
    }
    if (f != NULL) fclose(f);
    return value;
}

static UNUSED bool set_pool(unsigned pages)
{
    FILE *f = fopen("/proc/sys/vm/nr_hugepages", "we");
    if (f == NULL) return false;
    fprintf(f, "%u\n", pages);
    return fclose(f) == 0 && memory_info("HugePages_Total:") == pages;
}

/* A test that names the size of the pool gets it, on a machine that has huge pages nobody uses. */
static UNUSED void prepare_pool(unsigned needed, unsigned pool)
{
    unsigned long total = memory_info("HugePages_Total:"), unused = memory_info("HugePages_Free:");
    errno = 0;
    if (memory_info("Hugepagesize:") != HUGE_PAGE / 1024) {
        give_up(SKIPPED, "hugetlb pages are not 2 MiB here");
    }
    if (unused < needed) {
        give_up(SKIPPED, "%lu free huge pages, %u are needed (vm.nr_hugepages)", unused, needed);
    }
    if (pool == 0) return;
    if (total != unused) give_up(SKIPPED, "somebody else uses huge pages");
    pool_before = (unsigned)total + 1;
    if (!set_pool(pool)) give_up(SKIPPED, "cannot make the pool %u huge pages", pool);
}

static UNUSED void restore_pool(void)
{
    if (pool_before != 0) set_pool(pool_before - 1);
    pool_before = 0;
}

static UNUSED int8_t map_huge_again(char *address, unsigned pages)
{
    void *p = mmap(address, pages * HUGE_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0);
    return p == MAP_FAILED ? (int8_t)-errno : 0;
}
