/* ---- Which page frame is mapped ---- */
static int8_t remember_frame(unsigned slot, const char *address)
{
    shared->slot[slot].pfn = frame_at(address);
    return 0;
}
