/* ---- Mapping changes; all give 0 or -errno ---- */
static int8_t status(long result)
{
    return result == -1 ? (int8_t)-errno : 0;
}

static UNUSED int8_t map_again(char *address, unsigned pages)
{
    void *p = mmap(address, pages * PAGE, PROT_READ | PROT_WRITE, kind_at(address) | MAP_FIXED,
                   file_at(address), offset_at(address));
    return status(p == MAP_FAILED ? -1 : 0);
}

static UNUSED int8_t unmap(char *address, unsigned pages)
{
    return status(munmap(address, pages * PAGE));
}

static UNUSED int8_t move_mapping(char *from, unsigned pages, char *to)
{
    void *p = mremap(from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    return status(p == MAP_FAILED ? -1 : 0);
}

static UNUSED int8_t protect(char *address, unsigned pages, int protection)
{
    return status(mprotect(address, pages * PAGE, protection));
}

static UNUSED int8_t give_advice(char *address, unsigned pages, int advice)
{
    return status(madvise(address, pages * PAGE, advice));
}
