"""Engines: whoever answers prompts, be it a model on this machine or a script.

An engine (`outdo.protocols.Engine`) takes requests and yields completions in any order, each the
moment it is there, so that what has arrived is stored before the next is paid for.
"""
