// Phases of a crew; see crew.hpp.
#include "explore/crew.hpp"

namespace drover::explore {

namespace {

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

Crew::Crew(unsigned workers)
    : workers_(workers == 0 ? 1 : workers),
      spins_(workers <= std::thread::hardware_concurrency() ? 1000 : 0) {}

template <class Condition>
bool Crew::comes_soon(Condition&& condition) const {
  for (unsigned spin = 0; spin < spins_; ++spin) {
    if (condition()) return true;
    relax();
  }
  return false;
}

Crew::~Crew() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  begin_.notify_all();
}

void Crew::call(unsigned worker) {
  try {
    (*work_)(worker);
  } catch (...) {
    thrown_[worker] = std::current_exception();
  }
}

void Crew::serve(unsigned worker) {
  std::uint64_t seen = 0;
  for (;;) {
    const auto called = [&] { return over_ || phase_ != seen; };
    if (!comes_soon(called)) {
      std::unique_lock lock(mutex_);
      begin_.wait(lock, called);
    }
    if (over_) return;
    seen = phase_;
    call(worker);
    if (--busy_ != 0) continue;
    const std::scoped_lock lock(mutex_);  // so that it does not fall asleep just now
    end_.notify_one();
  }
}

void Crew::run(const std::function<void(unsigned)>& work) {
  if (workers_ == 1) return work(0);
  thrown_.assign(workers_, nullptr);
  {
    const std::scoped_lock lock(mutex_);
    work_ = &work;
    busy_ = workers_ - 1;
    ++phase_;
  }
  if (threads_.empty()) {
    for (unsigned worker = 1; worker < workers_; ++worker) {
      threads_.emplace_back([this, worker] { serve(worker); });
    }
  } else {
    begin_.notify_all();
  }
  call(0);
  const auto done = [&] { return busy_ == 0; };
  if (!comes_soon(done)) {
    std::unique_lock lock(mutex_);
    end_.wait(lock, done);
  }
  for (const std::exception_ptr& thrown : thrown_) {
    if (thrown) std::rethrow_exception(thrown);
  }
}

}  // namespace drover::explore
