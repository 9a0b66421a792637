// German's cache coherence protocol with data values, as its Murphi description (Chou, Mannava and
// Park, FMCAD 2004) states it: rules SendReqS .. RecvGntE and Store, two data values, undefined
// data kept apart from both. For tests and benchmarks; packed into 16 bytes for up to 6 caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "explore/model.hpp"

namespace drover::explore::models {

/// The Murphi model has two start states, one for each initial memory value. A Model has one, so
/// this one begins with a state of its own from which `Init` leads to either: it counts one state
/// more.
template <unsigned kCaches>
class German {
  static_assert(kCaches >= 1 && kCaches <= 6);

 public:
  static constexpr Marks kControl = 1;  // two caches hold the line though one holds it exclusively
  static constexpr Marks kData = 2;  // a copy, or memory not granted away, is not the latest value

  std::size_t state_bytes() const { return sizeof(State); }

  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    State state;
    std::memcpy(&state, bytes, sizeof state);
    const auto take = [&emit](unsigned actor, unsigned choice, const State& next) {
      emit(Transition{StateBytes(reinterpret_cast<const std::byte*>(&next), sizeof next),
                      Action{static_cast<std::uint16_t>(actor), static_cast<std::uint16_t>(choice)},
                      violations(next)});
    };
    if (!(state.home() & kRunning)) {
      for (std::uint32_t value = 1; value <= 2; ++value) {
        State next = state;
        next.set_home(kRunning | value << kMemory | value << kLatest);
        take(0, value, next);
      }
      return;
    }
    for (unsigned cache = 0; cache < kCaches; ++cache) expand_cache(state, cache, take);
  }

  /// Some cache can always ask or be served, so there are no terminal states.
  Marks terminal(const std::byte*) { return 0; }

 private:
  // One cache and its three channels, in 16 bits. Data: 0 undefined, else the value and 1.
  enum : unsigned {
    kLine = 0,           // 2 bits: kInvalid ..
    kLineData = 2,       // 2 bits
    kRequest = 4,        // 2 bits, channel 1: kNothing ..
    kReply = 6,          // 2 bits, channel 2: kEmpty ..
    kReplyData = 8,      // 2 bits
    kAck = 10,           // 1 bit, channel 3: an InvAck
    kAckData = 11,       // 2 bits
    kSharer = 13,        // 1 bit, ShrSet
    kToInvalidate = 14,  // 1 bit, InvSet
  };
  enum : unsigned { kInvalid = 0, kShared = 1, kExclusive = 2 };
  enum : unsigned { kNothing = 0, kAskShared = 1, kAskExclusive = 2 };  // also CurCmd
  enum : unsigned { kEmpty = 0, kInvalidate = 1, kGrantShared = 2, kGrantExclusive = 3 };
  // The directory and memory, in 32 bits.
  enum : unsigned {
    kCommand = 0,  // 2 bits, CurCmd
    kClient = 2,   // 3 bits, CurPtr: 0 undefined, else the cache and 1
    kMemory = 5,   // 2 bits, MemData
    kLatest = 7,   // 2 bits, AuxData
  };
  static constexpr std::uint32_t kGranted = 1U << 9;   // ExGntd
  static constexpr std::uint32_t kRunning = 1U << 10;  // Init has been taken

  /// Nodes in the low word; the high one has at most two, so that either word alone takes few
  /// values (the store keeps equal words once).
  static constexpr unsigned kLow = kCaches <= 4 ? (kCaches + 1) / 2 : kCaches - 2;

  // Whole words, so that a changed field is not written short and read back long.
  struct State {
    std::uint64_t low;   // nodes 0 to kLow - 1
    std::uint64_t high;  // the other nodes, then the directory

    static unsigned shift_of(unsigned cache) { return 16 * (cache < kLow ? cache : cache - kLow); }
    unsigned node(unsigned cache) const {
      return static_cast<unsigned>((cache < kLow ? low : high) >> shift_of(cache)) & 0xffffU;
    }
    void set_node(unsigned cache, unsigned node) {
      std::uint64_t& word = cache < kLow ? low : high;
      const unsigned shift = shift_of(cache);
      word = (word & ~(std::uint64_t{0xffff} << shift)) | std::uint64_t{node} << shift;
    }
    std::uint32_t home() const { return static_cast<std::uint32_t>(high >> 32); }
    void set_home(std::uint32_t home) { high = (high & 0xffffffffU) | std::uint64_t{home} << 32; }
  };
  static_assert(sizeof(State) == 16);

  static constexpr std::uint64_t kEach = 0x0001000100010001U;  // bit 0 of each of four nodes

  static unsigned field(unsigned word, unsigned shift, unsigned bits) {
    return (word >> shift) & ((1U << bits) - 1U);
  }
  static unsigned with(unsigned node, unsigned shift, unsigned bits, unsigned value) {
    const unsigned mask = ((1U << bits) - 1U) << shift;
    return (node & ~mask) | value << shift;
  }
  static std::uint32_t home_with(std::uint32_t home, unsigned shift, unsigned bits,
                                 unsigned value) {
    const std::uint32_t mask = ((1U << bits) - 1U) << shift;
    return (home & ~mask) | value << shift;
  }

  template <class Take>
  static void expand_cache(const State& state, unsigned cache, Take&& take) {
    const unsigned node = state.node(cache);
    const unsigned line = field(node, kLine, 2);
    const unsigned me = cache + 1;
    if (line == kExclusive) {
      for (unsigned value = 1; value <= 2; ++value) {  // Store
        State next = state;
        next.set_node(cache, with(node, kLineData, 2, value));
        next.set_home(home_with(state.home(), kLatest, 2, value));
        take(me, value, next);
      }
    }
    const unsigned request = field(node, kRequest, 2);
    if (request == kNothing) {
      if (line == kInvalid) {  // SendReqS
        State next = state;
        next.set_node(cache, with(node, kRequest, 2, kAskShared));
        take(me, 3, next);
      }
      if (line != kExclusive) {  // SendReqE
        State next = state;
        next.set_node(cache, with(node, kRequest, 2, kAskExclusive));
        take(me, 4, next);
      }
    }
    receive_reply(state, cache, take);
    serve(state, cache, take);
  }

  /// What a cache does with channel 2: SendInvAck, RecvGntS, RecvGntE.
  template <class Take>
  static void receive_reply(const State& state, unsigned cache, Take&& take) {
    const unsigned node = state.node(cache);
    const unsigned reply = field(node, kReply, 2);
    if (reply == kEmpty) return;
    State next = state;
    unsigned changed = with(node, kReply, 2, kEmpty);
    if (reply == kInvalidate) {
      if (field(node, kAck, 1) != 0) return;
      changed = with(changed, kAck, 1, 1);
      if (field(node, kLine, 2) == kExclusive) {
        changed = with(changed, kAckData, 2, field(node, kLineData, 2));
      }
      changed = with(changed, kLine, 4, kInvalid);  // and the data undefined
    } else {
      changed = with(changed, kLine, 2, reply == kGrantShared ? kShared : kExclusive);
      changed = with(changed, kLineData, 2, field(node, kReplyData, 2));
      changed = with(changed, kReplyData, 2, 0);
    }
    next.set_node(cache, changed);
    take(cache + 1, 5, next);
  }

  /// What the directory does for a cache: RecvReqS, RecvReqE, SendInv, RecvInvAck, SendGntS,
  /// SendGntE.
  template <class Take>
  static void serve(const State& state, unsigned cache, Take&& take) {
    const unsigned node = state.node(cache);
    const unsigned command = field(state.home(), kCommand, 2);
    const unsigned request = field(node, kRequest, 2);
    const bool granted = (state.home() & kGranted) != 0;
    if (command == kNothing) {
      if (request == kNothing) return;
      State next = state;
      next.set_node(cache, with(node, kRequest, 2, kNothing));
      copy_sharers(next);
      next.set_home(
          home_with(home_with(state.home(), kCommand, 2, request), kClient, 3, cache + 1));
      take(0, 8 + cache, next);
      return;
    }
    if (field(node, kReply, 2) == kEmpty && field(node, kToInvalidate, 1) != 0 &&
        (command == kAskExclusive || granted)) {
      State next = state;
      next.set_node(cache, with(with(node, kReply, 2, kInvalidate), kToInvalidate, 1, 0));
      take(0, 16 + cache, next);
    }
    if (field(node, kAck, 1) != 0) {
      State next = state;
      unsigned changed = with(with(node, kAck, 1, 0), kSharer, 1, 0);
      if (granted) {
        next.set_home(home_with(state.home() & ~kGranted, kMemory, 2, field(node, kAckData, 2)));
        changed = with(changed, kAckData, 2, 0);
      }
      next.set_node(cache, changed);
      take(0, 24 + cache, next);
    }
    if (field(state.home(), kClient, 3) == cache + 1 && field(node, kReply, 2) == kEmpty &&
        !granted && (command == kAskShared || !any_sharer(state))) {
      State next = state;
      const unsigned grant = command == kAskShared ? kGrantShared : kGrantExclusive;
      unsigned changed = with(with(node, kReply, 2, grant), kSharer, 1, 1);
      changed = with(changed, kReplyData, 2, field(state.home(), kMemory, 2));
      next.set_node(cache, changed);
      next.set_home(home_with(state.home(), 0, 5, 0) | (command == kAskExclusive ? kGranted : 0U));
      take(0, 32 + cache, next);
    }
  }

  // The nodes of one word are looked at together. The bits of the directory are masked out or left.
  static constexpr std::uint64_t kEachHigh = 0x0000000000010001U;

  static std::uint64_t sharers_to_invalidate(std::uint64_t nodes, std::uint64_t each) {
    return (nodes & ~(each << kToInvalidate)) | (nodes & each << kSharer)
                                                    << (kToInvalidate - kSharer);
  }
  static void copy_sharers(State& state) {
    state.low = sharers_to_invalidate(state.low, kEach);
    if constexpr (kCaches > kLow) state.high = sharers_to_invalidate(state.high, kEachHigh);
  }
  static bool any_sharer(const State& state) {
    return (state.low & kEach << kSharer) != 0 ||
           (kCaches > kLow && (state.high & kEachHigh << kSharer) != 0);
  }

  /// The invariants CntrlProp and DataProp of the Murphi description.
  static Marks violations(const State& state) {
    const unsigned latest = field(state.home(), kLatest, 2);
    const bool memory_stale =
        (state.home() & kGranted) == 0 && field(state.home(), kMemory, 2) != latest;
    std::uint64_t holders = 0;    // a bit for each cache that holds the line
    std::uint64_t exclusive = 0;  // holds it exclusively
    std::uint64_t stale = 0;      // holds another value than the latest
    const auto examine = [&](std::uint64_t nodes, std::uint64_t each, unsigned shift) {
      const std::uint64_t held = (nodes | nodes >> 1) & each;
      const std::uint64_t differs = (nodes >> kLineData) ^ (each * latest);
      holders |= held << shift;
      exclusive |= (nodes >> 1) & each;
      stale |= (differs | differs >> 1) & held;
    };
    examine(state.low, kEach, 0);
    if constexpr (kCaches > kLow) examine(state.high, kEachHigh, 1);
    const bool several = (holders & (holders - 1)) != 0;
    return (exclusive != 0 && several ? kControl : 0U) | (memory_stale || stale != 0 ? kData : 0U);
  }
};

}  // namespace drover::explore::models
