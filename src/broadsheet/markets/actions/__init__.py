"""The only writers of markets: one verb a function, one transaction each."""

from broadsheet.markets.actions.personal import (
    RefusedError,
    add_to_watch_list,
    add_trade,
    delete_alert,
    delete_trade,
    delete_watch_list,
    make_watch_list,
    move_on_watch_list,
    remove_from_watch_list,
    rename_watch_list,
    set_alert,
)
from broadsheet.markets.actions.trade_file import Taken, add_trades

__all__ = [
    "RefusedError",
    "Taken",
    "add_to_watch_list",
    "add_trade",
    "add_trades",
    "delete_alert",
    "delete_trade",
    "delete_watch_list",
    "make_watch_list",
    "move_on_watch_list",
    "remove_from_watch_list",
    "rename_watch_list",
    "set_alert",
]
