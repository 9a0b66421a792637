// The shipped designs against the policy matrix of the kernel semantics dossier, written by hand
// from the dossier and not from the TOML: a row here that disagrees is a mistake in one of the two.
#include "files.hpp"

namespace drover::design {
namespace {

struct Expected {
  const char* design;
  const char* name;
  const char* value;
};

constexpr Expected kMatrix[] = {
    // Page accounting (section 1).
    {"linux-4.18", "longterm_migrate", "none"},
    {"linux-5.4", "longterm_migrate", "cma_slow"},
    {"linux-5.8", "longterm_migrate", "cma"},
    {"linux-5.10", "longterm_migrate_failure", "enomem_spin"},
    {"linux-5.15", "longterm_migrate", "cma_movable"},
    {"linux-5.15", "longterm_migrate_failure", "enomem"},
    {"linux-6.1", "longterm_migrate_lock", "held"},
    {"linux-6.12", "longterm_migrate_lock", "dropped_if_fast"},
    {"linux-4.18", "pin_accounting", "get_only"},
    {"linux-5.4", "pin_accounting", "get_only"},
    {"linux-5.4.y", "pin_accounting", "get_only"},
    {"linux-5.7", "pin_accounting", "bias"},
    {"linux-7.2", "pin_accounting", "bias"},
    {"linux-5.8", "has_pinned", "absent"},
    {"linux-5.10.0", "has_pinned", "sticky"},
    {"linux-7.2", "has_pinned", "sticky"},
    {"linux-5.18", "anon_exclusive", "no"},
    {"linux-5.19", "anon_exclusive", "yes"},
    {"linux-6.18", "anon_exclusive", "yes"},
    {"linux-5.10", "zero_page_pin_counted", "yes"},
    {"linux-5.19", "zero_page_pin_counted", "yes"},
    {"linux-6.1", "zero_page_pin_counted", "no"},
    {"linux-6.2", "zero_page_pin_counted", "yes"},
    {"linux-6.5", "zero_page_pin_counted", "no"},
    {"linux-7.2", "zero_page_pin_counted", "no"},
    // do_wp_page (section 3).
    {"linux-4.18", "wp_reuse", "mapcount_swapcount"},
    {"linux-5.4.y", "wp_reuse", "mapcount_swapcount"},
    {"linux-5.8", "wp_reuse", "mapcount_swapcount"},
    {"linux-5.10.0", "wp_reuse", "refcount_strict"},
    {"linux-5.10", "wp_reuse", "refcount_strict"},
    {"linux-5.15", "wp_reuse", "refcount_strict"},
    {"linux-5.18", "wp_reuse", "refcount_swapaware"},
    {"linux-5.19", "wp_reuse", "exclusive_or_refcount"},
    {"linux-6.1", "wp_reuse", "exclusive_or_refcount"},
    {"linux-7.2", "wp_reuse", "exclusive_or_refcount"},
    {"linux-5.8", "wp_reuse_lock", "sleep"},
    {"linux-5.10.0", "wp_reuse_lock", "trylock"},
    {"linux-6.12", "wp_reuse_lock", "trylock"},
    // Swap and migration (sections 8 and 9).
    {"linux-4.18", "madv_pageout", "absent"},
    {"linux-5.4", "madv_pageout", "present"},
    {"linux-7.2", "madv_pageout", "present"},
    {"linux-4.18", "swapin_reuse", "mapcount_swapcount"},
    {"linux-5.10", "swapin_reuse", "mapcount_swapcount"},
    {"linux-5.15", "swapin_reuse", "mapcount_swapcount"},
    {"linux-5.18", "swapin_reuse", "refcount"},
    {"linux-5.19", "swapin_reuse", "swap_exclusive"},
    {"linux-7.2", "swapin_reuse", "swap_exclusive"},
    {"linux-6.5", "swapin_read_maps_writable", "no"},
    {"linux-6.12", "swapin_read_maps_writable", "yes"},
    {"linux-6.1", "swapin_bypass", "prepared"},
    {"linux-6.2", "swapin_bypass", "yes"},
    {"linux-6.12", "swapin_bypass", "prepared"},
    {"linux-7.2", "swapin_bypass", "no"},
    {"linux-5.10.0", "swap_skip_pinned", "none"},
    {"linux-5.10", "swap_skip_pinned", "at_add_to_swap"},
    {"linux-5.18", "swap_skip_pinned", "at_add_to_swap"},
    {"linux-5.19", "swap_skip_pinned", "at_unmap_too"},
    {"linux-6.1", "swap_skip_pinned", "after_unmap_too"},
    {"linux-6.2", "swap_skip_pinned", "at_unmap_too"},
    {"linux-6.5", "swap_skip_pinned", "after_unmap_too"},
    {"linux-5.18", "migrate_unmap_pinned", "allowed"},
    {"linux-5.19", "migrate_unmap_pinned", "refused_if_exclusive"},
    {"linux-7.2", "migrate_unmap_pinned", "refused_if_exclusive"},
    // Write-protecting events, KSM, MADV_FREE, NUMA hinting (sections 9 to 12).
    {"linux-4.18", "wp_reuse_ksm", "copy"},
    {"linux-5.4", "wp_reuse_ksm", "reuse_if_sole"},
    {"linux-5.8", "wp_reuse_ksm", "reuse_if_sole"},
    {"linux-5.10.0", "wp_reuse_ksm", "copy"},
    {"linux-5.18", "ksm_wp_check", "writable_or_dirty"},
    {"linux-5.19", "ksm_wp_check", "exclusive_too"},
    {"linux-6.1", "ksm_unmerge_fault", "write"},
    {"linux-6.2", "ksm_unmerge_fault", "unshare"},
    {"linux-5.10.0", "soft_dirty_skip_pinned", "no"},
    {"linux-5.10", "soft_dirty_skip_pinned", "yes"},
    {"linux-7.2", "soft_dirty_skip_pinned", "yes"},
    {"linux-5.10.0", "clear_refs_lock", "read"},
    {"linux-5.10", "clear_refs_lock", "write"},
    {"linux-5.4.y", "uffd_wp", "absent"},
    {"linux-5.7", "uffd_wp", "present"},
    {"linux-5.10.0", "uffd_wp_flush", "no"},
    {"linux-5.10", "uffd_wp_flush", "yes"},
    {"linux-6.1", "uffd_wp_restore_write", "never"},
    {"linux-6.12", "uffd_wp_restore_write", "exclusive"},
    {"linux-6.5", "uffd_move", "absent"},
    {"linux-6.12", "uffd_move", "present"},
    {"linux-5.10.0", "numa_skip", "mapcount"},
    {"linux-5.10", "numa_skip", "refcount"},
    {"linux-6.1", "numa_skip", "refcount"},
    {"linux-6.12", "numa_skip", "pinned_or_shared"},
    {"linux-5.10.0", "madv_free_ref_check", "no"},
    {"linux-5.10", "madv_free_ref_check", "yes"},
    {"linux-5.18", "madv_free_ref_check", "yes"},
    // hugetlb (sections 3d and 4; mremap and MADV_DONTNEED: real kernels).
    {"linux-4.18", "fork_early_copy_hugetlb", "none"},
    {"linux-5.10", "fork_early_copy_hugetlb", "none"},
    {"linux-5.15", "fork_early_copy_hugetlb", "pinned"},
    {"linux-5.18", "fork_early_copy_hugetlb", "pinned"},
    {"linux-5.19", "fork_early_copy_hugetlb", "exclusive_and_pinned"},
    {"linux-7.2", "fork_early_copy_hugetlb", "exclusive_and_pinned"},
    {"linux-5.18", "fork_wp_seq_hugetlb", "no"},
    {"linux-5.19", "fork_wp_seq_hugetlb", "yes"},
    {"linux-5.15", "hugetlb_mremap", "einval"},
    {"linux-5.18", "hugetlb_mremap", "allowed"},
    {"linux-5.15", "hugetlb_dontneed", "einval"},
    {"linux-5.18", "hugetlb_dontneed", "allowed"},
    {"linux-7.2", "hugetlb_dontneed", "allowed"},
    {"linux-6.12", "hugetlb_dofork", "allowed"},
    {"linux-7.2", "hugetlb_dofork", "einval"},
    {"linux-6.5", "move_pages_empty", "efault"},
    {"linux-6.12", "move_pages_empty", "enoent"},
    // Read-only GUP (section 5), the zero page (section 2), FOLL_FORCE.
    {"linux-5.4", "gup_ro_cow", "none"},
    {"linux-5.4.y", "gup_ro_cow", "force_write"},
    {"linux-5.7", "gup_ro_cow", "none"},
    {"linux-5.8", "gup_ro_cow", "force_write"},
    {"linux-5.10.0", "gup_ro_cow", "none"},
    {"linux-5.18", "gup_ro_cow", "none"},
    {"linux-5.19", "gup_ro_cow", "unshare_anon"},
    {"linux-7.2", "gup_ro_cow", "unshare_anon"},
    {"linux-5.7", "gup_ro_zero_page", "pin_zero"},
    {"linux-5.4.y", "gup_ro_zero_page", "force_alloc"},
    {"linux-5.8", "gup_ro_zero_page", "force_alloc"},
    {"linux-5.10", "gup_ro_zero_page", "pin_zero"},
    {"linux-6.1", "gup_ro_zero_page", "pin_zero"},
    {"linux-6.2", "gup_ro_zero_page", "alloc_if_longterm"},
    {"linux-7.2", "gup_ro_zero_page", "alloc_if_longterm"},
    {"linux-4.18", "foll_force_write", "cow_dirty"},
    {"linux-5.4.y", "foll_force_write", "cow_dirty_any"},
    {"linux-5.8", "foll_force_write", "cow_dirty_any"},
    {"linux-5.10", "foll_force_write", "cow_dirty"},
    {"linux-5.19", "foll_force_write", "cow_dirty"},
    {"linux-6.1", "foll_force_write", "exclusive"},
    {"linux-7.2", "foll_force_write", "exclusive"},
    // File mappings (sections 5, 7 and 16).
    {"linux-4.18", "gup_ro_private_file", "pin_page_cache"},
    {"linux-5.4", "gup_ro_private_file", "pin_page_cache"},
    {"linux-5.4.y", "gup_ro_private_file", "force_copy"},
    {"linux-5.7", "gup_ro_private_file", "pin_page_cache"},
    {"linux-5.8", "gup_ro_private_file", "force_copy"},
    {"linux-5.10", "gup_ro_private_file", "pin_page_cache"},
    {"linux-6.1", "gup_ro_private_file", "pin_page_cache"},
    {"linux-6.2", "gup_ro_private_file", "copy_if_longterm"},
    {"linux-7.2", "gup_ro_private_file", "copy_if_longterm"},
    {"linux-6.2", "longterm_shared_file_write", "allowed"},
    {"linux-6.5", "longterm_shared_file_write", "efault"},
    {"linux-7.2", "longterm_shared_file_write", "efault"},
    {"linux-6.2", "gup_fast_file_check", "no"},
    {"linux-6.5", "gup_fast_file_check", "yes"},
    {"linux-7.2", "gup_fast_file_check", "yes"},
    {"linux-4.18", "longterm_fsdax", "eopnotsupp"},
    {"linux-7.2", "longterm_fsdax", "eopnotsupp"},
    {"linux-5.10.0", "io_uring_file_buffer", "refused"},
    {"linux-6.1", "io_uring_file_buffer", "shmem"},
    {"linux-6.12", "io_uring_file_buffer", "allowed"},
    {"linux-5.10.0", "dirty_without_buffers", "bug"},
    {"linux-5.15", "dirty_without_buffers", "bug"},
    {"linux-5.18", "dirty_without_buffers", "forget"},
    {"linux-7.2", "dirty_without_buffers", "forget"},
    {"linux-7.2", "release_buffers", "always"},
    {"refcount-versus-mapcount", "release_buffers", "unreferenced_only"},
    {"linux-7.2", "pinned_file_page", "ignore"},
    {"wait-for-unpin", "pinned_file_page", "wait"},
    {"file-lease", "pinned_file_page", "refuse"},
    // fork (section 4).
    {"linux-4.18", "fork_pinned_page", "share"},
    {"linux-5.8", "fork_pinned_page", "share"},
    {"linux-5.10.0", "fork_pinned_page", "copy"},
    {"linux-7.2", "fork_pinned_page", "copy"},
    {"linux-5.10", "fork_pinned_test", "maybe_pinned"},
    {"linux-5.18", "fork_pinned_test", "maybe_pinned"},
    {"linux-5.19", "fork_pinned_test", "exclusive_and_maybe_pinned"},
    {"linux-7.2", "fork_pinned_test", "exclusive_and_maybe_pinned"},
    {"linux-7.2", "fork_early_copy_wrprotects_parent", "no"},
    {"linux-5.8", "fork_wp_seq", "no"},
    {"linux-5.10.0", "fork_wp_seq", "no"},
    {"linux-5.10", "fork_wp_seq", "yes"},
    {"linux-5.15", "fork_wp_seq", "yes"},
    {"linux-7.2", "fork_wp_seq", "yes"},
    {"linux-6.2", "fork_vma_lock", "mmap_lock"},
    {"linux-6.5", "fork_vma_lock", "per_vma"},
    {"linux-7.2", "fork_vma_lock", "per_vma"},
    // mprotect (section 10).
    {"linux-5.19", "mprotect_restore_write", "never"},
    {"linux-6.1", "mprotect_restore_write", "dirty_and_exclusive"},
    {"linux-6.2", "mprotect_restore_write", "exclusive"},
    {"linux-6.12", "mprotect_restore_write", "exclusive"},
    // Users (section 13).
    {"linux-6.2", "odirect_ref", "get"},
    {"linux-6.5", "odirect_ref", "pin"},
    {"linux-7.2", "odirect_ref", "pin"},
    {"linux-4.18", "vmsplice_ref", "get"},
    {"linux-7.2", "vmsplice_ref", "get"},
    {"linux-7.2", "zerocopy_ref", "get"},
    {"linux-5.4", "process_vm_ref", "get"},
    {"linux-5.7", "process_vm_ref", "pin"},
    {"linux-5.10", "process_vm_ref", "pin"},
    {"linux-4.18", "io_uring_ref", "absent"},
    {"linux-5.4", "io_uring_ref", "get"},
    {"linux-5.7", "io_uring_ref", "pin"},
    {"linux-5.10", "io_uring_gup", "slow"},
    {"linux-6.1", "io_uring_gup", "slow"},
    {"linux-6.12", "io_uring_gup", "fast"},
    {"linux-7.2", "io_uring_gup", "fast"},
    {"linux-5.4", "rdma_ref", "get"},
    {"linux-5.10", "rdma_ref", "pin"},
    {"linux-5.4", "xdp_umem_ref", "get"},
    {"linux-5.10", "xdp_umem_ref", "pin"},
    {"linux-6.1", "p2pdma_mapping", "absent"},
    {"linux-6.2", "p2pdma_mapping", "present"},
    {"linux-6.5", "rdma_rereg", "unchecked"},
    {"linux-6.12", "rdma_rereg", "checked"},
    {"linux-7.2", "rdma_rereg", "checked"},
    {"linux-6.1", "rdma_readonly_mr", "write_force"},
    {"linux-6.2", "rdma_readonly_mr", "read"},
    {"linux-7.2", "rdma_readonly_mr", "read"},
    // The proposals (hazards 0.2): what they change and, twice, what they must not.
    {"block-fork", "fork_pinned_page", "block"},
    {"block-fork", "odirect_ref", "pin"},
    {"block-fork", "wp_reuse", "mapcount_swapcount"},
    {"copy-at-fork-for-any-reference", "fork_pinned_page", "copy"},
    {"copy-at-fork-for-any-reference", "fork_pinned_test", "any_reference"},
    {"no-copy-to-child", "fork_pinned_page", "omit"},
    {"dontfork", "longterm_marks_dontfork", "yes"},
    {"dontfork", "fork_pinned_page", "share"},
    {"mapcount-unshare", "wp_reuse", "mapcount_swapcount"},
    {"mapcount-unshare", "gup_ro_cow", "unshare_mapcount"},
    {"longterm-only-pins", "odirect_ref", "get"},
    {"longterm-only-pins", "rdma_ref", "pin"},
    {"enforce", "pinned_mapping_change", "ebusy"},
    {"fork-tearing-fix", "fork_early_copy_wrprotects_parent", "yes"},
};

TEST(Matrix, MatchesTheDossier) {
  for (const Expected& e : kMatrix) {
    EXPECT_EQ(value(shipped(), e.design, e.name), e.value) << e.design << ' ' << e.name;
  }
}

// What no kernel does must be in no kernel's design.
TEST(Matrix, KernelsHaveNoProposalsInThem) {
  for (const Design& d : shipped().designs()) {
    if (!d.release) continue;
    EXPECT_EQ(d.switches.pinned_mapping_change, policy::pinned_mapping_change::allow) << d.name;
    EXPECT_EQ(d.switches.longterm_marks_dontfork, policy::longterm_marks_dontfork::no) << d.name;
    EXPECT_EQ(d.switches.fork_early_copy_wrprotects_parent,
              policy::fork_early_copy_wrprotects_parent::no)
        << d.name;
    EXPECT_NE(d.switches.fork_pinned_test, policy::fork_pinned_test::any_reference) << d.name;
    EXPECT_NE(d.switches.fork_pinned_page, policy::fork_pinned_page::block) << d.name;
    EXPECT_NE(d.switches.fork_pinned_page, policy::fork_pinned_page::omit) << d.name;
    EXPECT_NE(d.switches.gup_ro_cow, policy::gup_ro_cow::unshare_mapcount) << d.name;
  }
}

// Values that presuppose one another.
TEST(Matrix, EveryDesignIsConsistent) {
  for (const Design& d : shipped().designs()) {
    const Switches& s = d.switches;
    const bool exclusive = s.anon_exclusive == policy::anon_exclusive::yes;
    if (s.wp_reuse == policy::wp_reuse::exclusive_or_refcount ||
        s.gup_ro_cow == policy::gup_ro_cow::unshare_anon ||
        s.fork_pinned_test == policy::fork_pinned_test::exclusive_and_maybe_pinned ||
        s.foll_force_write == policy::foll_force_write::exclusive ||
        s.mprotect_restore_write != policy::mprotect_restore_write::never) {
      EXPECT_TRUE(exclusive) << d.name;
    }
    // The tests for pinned pages need pins that can be told from other references.
    if (s.fork_pinned_page == policy::fork_pinned_page::copy &&
        s.fork_pinned_test != policy::fork_pinned_test::any_reference) {
      EXPECT_EQ(s.pin_accounting, policy::pin_accounting::bias) << d.name;
      EXPECT_EQ(s.has_pinned, policy::has_pinned::sticky) << d.name;
    }
  }
}

// linux-4.18 spells out every switch, and its values are the defaults of switches.def.
TEST(Matrix, OldestKernelIsTheDefault) {
  const Design* d = shipped().find("linux-4.18");
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->switches, Switches{});
  for (unsigned i = 0; i < switch_list().size(); ++i) {
    EXPECT_EQ(d->provenance[i].design, "linux-4.18") << switch_list()[i].name;
  }
}

// A kernel that changes a switch names the commit, or says in its note why it cannot.
TEST(Matrix, KernelChangesHaveASource) {
  for (const Design& d : shipped().designs()) {
    if (!d.release || d.extends.empty()) continue;
    for (unsigned i = 0; i < switch_list().size(); ++i) {
      const Provenance& p = d.provenance[i];
      if (p.design != d.name) continue;
      EXPECT_FALSE(p.note.empty()) << d.name << ' ' << switch_list()[i].name;
      EXPECT_TRUE(p.commit.size() == 12 || p.note.find("memory") != std::string::npos ||
                  p.note.find("id not found") != std::string::npos)
          << d.name << ' ' << switch_list()[i].name;
    }
  }
}

}  // namespace
}  // namespace drover::design
