/* ---- No large folios in this test ---- */
static void prepare_large_folio(const struct object *o)
{
    (void)o;
}
