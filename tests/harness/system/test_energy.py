"""The energy meter against counter files: growth, wrap-around, and no counter."""

import pytest

from harness.system.energy import EnergyMeter


def counter(folder, name, microjoules, largest=1_000_000):
    path = folder / name
    path.mkdir(exist_ok=True)
    (path / "energy_uj").write_text(f"{microjoules}\n")
    (path / "max_energy_range_uj").write_text(f"{largest}\n")


def test_packages_are_summed_and_their_parts_are_not(tmp_path):
    counter(tmp_path, "intel-rapl:0", 100)
    counter(tmp_path, "intel-rapl:0:0", 50)  # the cores of package 0, included in its counter
    counter(tmp_path, "intel-rapl:1", 900_000)
    with EnergyMeter(powercap=tmp_path) as meter:
        counter(tmp_path, "intel-rapl:0", 200_100)
        counter(tmp_path, "intel-rapl:0:0", 999_999)
        counter(tmp_path, "intel-rapl:1", 100_000)  # wrapped around at 1,000,000
    assert meter.record == {"cpu_joules": pytest.approx(0.2 + 0.2), "gpu_joules": None, "counters": ["RAPL"]}


def test_readings_add_up_across_wrap_arounds(tmp_path, monkeypatch):
    counter(tmp_path, "intel-rapl:0", 0)
    meter = EnergyMeter(powercap=tmp_path)
    for value in (600_000, 100_000, 700_000, 0):  # + 0.6, + 0.5, + 0.6, + 0.3
        counter(tmp_path, "intel-rapl:0", value)
        meter._read()
    assert meter.record["cpu_joules"] == pytest.approx(2.0)


def test_without_a_counter_joules_are_none(tmp_path):
    with EnergyMeter("cuda:0", powercap=tmp_path / "nothing here") as meter:
        pass
    record = meter.record
    assert record["cpu_joules"] is None
    assert (record["gpu_joules"] is None) == ("NVML" not in record["counters"])
