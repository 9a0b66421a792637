/* ---- Large folios: an aligned 2 MiB behind a huge PMD, behind PTEs, or as small pages ---- */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* What /proc/self/smaps says of the mapping at `address`, in KiB. */
static unsigned long huge_kilobytes(const char *address)
{
    char line[300];
    unsigned long begin, end, value = 0;
    bool here = false;
    FILE *f = fopen("/proc/self/smaps", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2) here = begin == (uintptr_t)address;
        if (here && strncmp(line, "AnonHugePages:", 14) == 0) value = strtoul(line + 14, NULL, 10);
    }
    if (f != NULL) fclose(f);
    return value;
}

static void advise_huge(const struct object *o, int advice)
{
    if (madvise(o->base, HUGE_PAGE, advice) != 0) give_up(SKIPPED, "no transparent huge pages here");
}

/* Later faults get small pages, as in the model, unless the test itself asks for a collapse. */
static void prepare_large_folio(const struct object *o)
{
    for (int attempt = 0; o->huge != SPLIT && huge_kilobytes(o->base) != HUGE_PAGE / 1024; attempt++) {
        if (attempt == 50) give_up(SKIPPED, "the kernel gives no large folio");
        if (attempt > 0) usleep(10000);
        if (madvise(o->base, HUGE_PAGE, MADV_DONTNEED) != 0) give_up(FAILED, "MADV_DONTNEED");
        advise_huge(o, MADV_HUGEPAGE);
        *(volatile char *)o->base = 0;
    }
    advise_huge(o, MADV_NOHUGEPAGE);
    for (unsigned long at = 0; at < HUGE_PAGE; at += PAGE) *(volatile char *)(o->base + at) = 0;
    if (o->huge == SPLIT && COLLAPSES) advise_huge(o, MADV_HUGEPAGE);
    if (o->huge != PTE_MAPPED) return;
    /* A VMA that ends inside the PMD splits it; the rights of the PTEs stay as they are. */
    if (madvise(o->base, PAGE, MADV_DONTFORK) != 0 || madvise(o->base, PAGE, MADV_DOFORK) != 0) {
        give_up(FAILED, "splitting the huge PMD");
    }
}
