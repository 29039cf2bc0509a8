"""The libraries that train against each other, each in a process of its own.

A module here is run by its name and speaks the protocol of `benchmarks.speed.worker`. Nothing is
imported that its library does not need, so that memory and start-up are the library's own.
"""
