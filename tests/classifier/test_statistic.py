from classifier.statistic import COUNTS, STATISTICS

ALL = (*STATISTICS, *COUNTS)


def test_every_statistic_has_a_name_of_its_own() -> None:
    assert len({statistic.name for statistic in ALL}) == len(ALL)


def test_every_statistic_is_worded_in_its_own_way_whether_large_or_small() -> None:
    wordings = [words for statistic in ALL for words in (statistic.large, statistic.small)]
    assert len(set(wordings)) == len(wordings)
