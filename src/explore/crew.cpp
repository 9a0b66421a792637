// Phases of a crew; see crew.hpp.
#include "explore/crew.hpp"

namespace drover::explore {

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
    {
      std::unique_lock lock(mutex_);
      begin_.wait(lock, [&] { return over_ || phase_ != seen; });
      if (over_) return;
      seen = phase_;
    }
    call(worker);
    const std::scoped_lock lock(mutex_);
    if (--busy_ == 0) end_.notify_one();
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
  {
    std::unique_lock lock(mutex_);
    end_.wait(lock, [&] { return busy_ == 0; });
  }
  for (const std::exception_ptr& thrown : thrown_) {
    if (thrown) std::rethrow_exception(thrown);
  }
}

}  // namespace drover::explore
