"""A slow model of the ledger: the rules of docs/ledger.md once more, with lists and full scans."""

from model.ledger import Ledger as Ledger
from model.nouns import Agent as Agent
from model.nouns import Answer as Answer
from model.nouns import Goal as Goal
from model.nouns import Json as Json
from model.nouns import Refused as Refused
from model.nouns import Task as Task
