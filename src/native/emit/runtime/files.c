/* ---- truncate, holes and fsync of files; all give 0 or -errno ---- */
static UNUSED int8_t truncate_file(const char *address, int pages)
{
    return ftruncate(file_at(address), pages * (long)PAGE) == -1 ? (int8_t)-errno : 0;
}

static UNUSED int8_t punch_hole(const char *address, unsigned pages)
{
    return fallocate(file_at(address), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                     offset_at(address), (off_t)(pages * PAGE)) == -1
               ? (int8_t)-errno
               : 0;
}

static UNUSED int8_t sync_file(const char *address)
{
    return fsync(file_at(address)) == -1 ? (int8_t)-errno : 0;
}
